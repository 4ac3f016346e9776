-- Reports of finance, and the ledger for others: the schema vendue_open, documented and stable, with a role that may
-- read it and nothing else. What is in it is listed in docs/schema.md; a test compares both.
set local search_path = vendue;

-- --- What reports of finance add up --------------------------------------------------------------

-- Posted transfers as sums, and one by one, under the same names; `dc` and `cc` are the codes of both accounts.
create view report_fold as
select f.period, f.day, f.currency, f.debit, f.credit, (f.debit % 10000)::integer as dc,
       (f.credit % 10000)::integer as cc, f.kind, f.seat, f.contract, f.slot, f.message, f.rung, f.objectives,
       f.count, f.micros
from fold f
where f.state = 'posted';
create view report_row as
select t.period, (t.effective_us / 86400000000)::integer as day, t.currency, t.debit, t.credit,
       (t.debit % 10000)::integer as dc, (t.credit % 10000)::integer as cc, t.kind, coalesce(t.seat, 0) as seat,
       coalesce(t.contract, 0) as contract, coalesce(t.slot, 0) as slot, coalesce(t.message, 0) as message,
       coalesce(t.rung, (-1)::smallint) as rung, coalesce(t.objectives, 0) as objectives, 1::bigint as count,
       t.amount_micros::numeric as micros,
       t.transfer_id, t.effective_us, t.placement_id, t.log, t.batch, t.idx, t.leg, coalesce(t.reference, '') as reference
from transfer_kept t
where t.state = 'posted';

-- The same from either account's side, debits positive. `owner`: the seat of the account; 0 the house.
create view report_fold_side as
select period, day, currency, debit as account, credit as other, dc as code, cc as other_code,
       (debit / 100000)::integer as owner, (credit / 100000)::integer as other_owner, kind, seat, contract, slot,
       message, rung, objectives, count, micros
from report_fold
union all
select period, day, currency, credit, debit, cc, dc, (credit / 100000)::integer, (debit / 100000)::integer, kind, seat,
       contract, slot, message, rung, objectives, count, -micros
from report_fold;
create view report_row_side as
select period, day, currency, debit as account, credit as other, dc as code, cc as other_code,
       (debit / 100000)::integer as owner, (credit / 100000)::integer as other_owner, kind, seat, contract, slot,
       message, rung, objectives, count, micros, transfer_id, effective_us, debit, credit, placement_id, log, batch,
       idx, leg, reference
from report_row
union all
select period, day, currency, credit, debit, cc, dc, (credit / 100000)::integer, (debit / 100000)::integer, kind, seat,
       contract, slot, message, rung, objectives, count, -micros, transfer_id, effective_us, debit, credit,
       placement_id, log, batch, idx, leg, reference
from report_row;

grant select on report_fold, report_row, report_fold_side, report_row_side to vendue_ledger, vendue_console;

-- --- What rows mean, of the tables and views of earlier migrations -------------------------------

comment on table migration is 'Migrations that were run, with the digest of each.';
comment on table market_version is 'A version of the declared market: who applied it, when and why.';
comment on table market_object is
    'An object of the market from a version on, as its file said; without a body: removed. Never changed.';
comment on table catalog_version is 'A catalog that was published: which market and which bids decided.';
comment on table certificate is 'A certificate that may speak, by the SHA-256 of its public key.';
comment on table certificate_event is 'What became of a certificate: revoked.';
comment on view object_now is 'An object of the market once, with its newest content, also when it was removed.';
comment on view market_now is 'The market itself, as of its newest version: one row.';
comment on view seat is 'A seat, as the newest market declares it.';
comment on view touchpoint is 'A touchpoint, as the newest market declares it.';
comment on view container is 'A container, as the newest market declares it.';
comment on view slot is 'A slot, as the newest market declares it.';
comment on view message is 'A message, as the newest market declares it.';
comment on view campaign is 'A campaign, as the newest market declares it.';
comment on view contract is 'A contract, as the newest market declares it.';
comment on view contract_share is 'A declared part of a contract''s pool.';
comment on view market_certificate is 'A certificate with the id of whom it speaks for.';
comment on table spend_grant is 'What a node may spend of a budget, from a catalog on.';
comment on table spend_lock is 'Its one row is locked by whoever grants parts of budgets.';
comment on table price_kind_name is 'Words for kinds of price.';
comment on table rung_name is 'Words for rungs.';
comment on table objective_name is 'Words for objectives.';
comment on table reason_name is 'Words for reasons.';
comment on table watermark is 'How far a log has been booked. The one table of facts whose rows change.';
comment on table frame is 'A frame of a journal that was booked: its place in the chain of digests.';
comment on table contact is 'A contact, as its fact says.';
comment on column contact.customer is 'Keyed pseudonym; null: anonymous. Not shown in vendue_open.';
comment on table outcome is 'A slot of a contact: a placement, or empty and why.';
comment on table event is 'What became of a placement, as its fact says, and how it was booked.';
comment on table revenue is 'An order or a refund, as its fact says, and how it was booked.';
comment on table bid_change is 'A change of a standing bid: its whole new state.';
comment on view standing_bid is 'A standing bid, by its last change.';
comment on table account is 'An account that was ever used; added with its first transfer.';
comment on table period_event is 'A step of a period''s close that is done.';
comment on table period_gate is
    'Rows to be locked: 1 by whoever fences or posts without a journal, 2 by each step of a close.';
comment on table statement is 'A seat''s statement of a closed period: its lines as CSV, and their digest.';
comment on table statement_total is 'What a section of a closed statement came to, with what was carried.';
comment on table statement_document is 'A closed statement as it is read, in one format.';
comment on table deposit is 'What a prepaid seat paid in, by the payment''s reference.';
comment on view statement_placement is
    'A placement''s place on its seat''s statement, by the contract as it was when it was won.';
comment on view charge_due is 'What a fact alone says is due for a placement, by the contract as it was at the win.';
comment on view slot_objective is 'The objectives that a slot admits, as a mask.';
comment on view slot_rung is 'A rung that a slot admits.';
comment on view report_contact is 'A contact with the objectives that were offered, won and achieved.';
comment on view report_slot is 'A slot that a contact offered, filled or empty.';
comment on table candidate is 'An eligible bid of a recorded slot, in its ranking.';
comment on table tally is 'How many bids of a recorded slot were judged, and how many each reason stopped.';
comment on table refusal is 'One of the dearest refused bids of a recorded slot.';
comment on table callout is 'A live bidder that was asked about a contact, and how it answered.';
comment on table slot_limits is 'What joined the candidates of a slot that was sold together with others.';
comment on view record_reason is 'Why a bid did not win, as records tell it.';
comment on table experiment_stop is 'An experiment that stopped itself.';
comment on view experiment_contact is 'A contact that took part in an experiment, and what it brought.';
comment on view report_learned is 'What a fact adds to what is learned of a message in a cell.';
comment on view report_fold is 'Sums of posted transfers, as reports of finance add them up.';
comment on view report_row is 'A posted transfer, under the names of report_fold.';
comment on view report_fold_side is 'One side of such sums: debits above 0, credits below.';
comment on view report_row_side is 'One side of a posted transfer, under the names of report_fold_side.';

-- --- The ledger for others -----------------------------------------------------------------------

-- Views for programs that read: their names, columns and meaning stay, columns may be added at the end. Amounts are
-- units of their currency with six decimals, times are times, ids lead from view to view. Nothing here tells who a
-- customer was. The role owns nothing and may do nothing but read these views.
do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'vendue_reader') then
        create role vendue_reader;
    end if;
end
$$;
create schema vendue_open;
comment on schema vendue_open is 'The ledger for other programs: documented, stable, read-only.';
grant usage on schema vendue_open to vendue_reader, vendue_ledger, vendue_console;

create view vendue_open.seat as
select s.id as seat_id, s.code as seat, s.name, s.kind, s.paused, s.removed
from vendue.seat s;
comment on view vendue_open.seat is
    'A bidder''s account, as the newest market declares it: a department or a partner.';
comment on column vendue_open.seat.seat_id is 'stable id; never given to another seat';
comment on column vendue_open.seat.seat is 'its code in the market file';
comment on column vendue_open.seat.name is 'its name for people';
comment on column vendue_open.seat.kind is 'department or partner';
comment on column vendue_open.seat.paused is 'it takes no part in auctions';
comment on column vendue_open.seat.removed is 'it is no longer in the market; old rows still name it';

create view vendue_open.contract as
select c.id as contract_id, c.code as contract, c.seat_id, c.seat,
       case when c.from_us > 0 then timestamptz 'epoch' + c.from_us * interval '1 microsecond' end as valid_from,
       case when c.until_us > 0 then timestamptz 'epoch' + c.until_us * interval '1 microsecond' end as valid_until,
       coalesce(c.charge, 'delivery') as charge, coalesce(c.billing, 'credit') as billing,
       coalesce(c.transfer_price, 'second_price') as transfer_price, c.merchant, c.removed
from vendue.contract c;
comment on view vendue_open.contract is
    'The terms with a seat, as the newest market declares them; what was won before a change keeps the terms of its time.';
comment on column vendue_open.contract.contract_id is 'stable id';
comment on column vendue_open.contract.contract is 'its code in the market file';
comment on column vendue_open.contract.seat_id is 'whose contract it is';
comment on column vendue_open.contract.seat is 'its code';
comment on column vendue_open.contract.valid_from is 'in force from then on; null: always was';
comment on column vendue_open.contract.valid_until is 'no longer in force from then on; null: open';
comment on column vendue_open.contract.charge is 'what makes a price due: delivery, win, response, conversion';
comment on column vendue_open.contract.billing is 'credit or prepaid';
comment on column vendue_open.contract.transfer_price is 'what a department pays: second_price, floor, zero, cost_plus';
comment on column vendue_open.contract.merchant is
    'who makes the sale and owes the pool: host or partner; null: no gain share';
comment on column vendue_open.contract.removed is 'it is no longer in the market';

create view vendue_open.campaign as
select c.id as campaign_id, c.code as campaign, c.name, c.seat_id, c.parent_id, c.removed
from vendue.campaign c;
comment on view vendue_open.campaign is
    'Messages of a seat that share a budget, as the newest market declares it.';
comment on column vendue_open.campaign.campaign_id is 'stable id';
comment on column vendue_open.campaign.campaign is 'its code in the market file';
comment on column vendue_open.campaign.name is 'its name for people';
comment on column vendue_open.campaign.seat_id is 'whose it is';
comment on column vendue_open.campaign.parent_id is 'campaign that it is part of; null: none';
comment on column vendue_open.campaign.removed is 'it is no longer in the market';

create view vendue_open.message as
select m.id as message_id, m.code as message, m.name, m.seat_id, m.seat, (m.rung + 1)::smallint as rung, m.objectives,
       m.category, m.campaign_id, m.removed
from vendue.message m;
comment on view vendue_open.message is
    'What a seat wants shown, as the newest market declares it.';
comment on column vendue_open.message.message_id is 'stable id';
comment on column vendue_open.message.message is 'its code in the market file';
comment on column vendue_open.message.name is 'its name for people';
comment on column vendue_open.message.seat_id is 'whose it is';
comment on column vendue_open.message.seat is 'its code';
comment on column vendue_open.message.rung is '1 to 8: rung of the ladder it stands on';
comment on column vendue_open.message.objectives is 'objectives that it pursues, with commas between';
comment on column vendue_open.message.category is 'product category';
comment on column vendue_open.message.campaign_id is 'campaign that it belongs to; null: none';
comment on column vendue_open.message.removed is 'it is no longer in the market';

create view vendue_open.container as
select c.id as container_id, c.code as container, c.name, c.stage, c.channel, c.owner_id, c.owner, c.removed
from vendue.container c;
comment on view vendue_open.container is
    'The template of a contact in a cell, as the newest market declares it.';
comment on column vendue_open.container.container_id is 'stable id';
comment on column vendue_open.container.container is 'its code in the market file';
comment on column vendue_open.container.name is 'its name for people';
comment on column vendue_open.container.stage is 'need, shop, buy, use, service, renew, leave, advocate';
comment on column vendue_open.container.channel is
    'call, web, app, store, email, chat, sms, bill, parcel, kiosk, social, partner';
comment on column vendue_open.container.owner_id is 'department that owns its slots; null: the house';
comment on column vendue_open.container.owner is 'its code';
comment on column vendue_open.container.removed is 'it is no longer in the market';

create view vendue_open.slot as
select s.id as slot_id, s.tagid as slot, s.name, s.container_id, s.container, c.stage, c.channel, s.position,
       s.floor_micros * 0.000001 as floor, s.rungs, s.objectives, s.removed
from vendue.slot s
left join vendue.container c on c.id = s.container_id;
comment on view vendue_open.slot is
    'A place for one message in a container, as the newest market declares it.';
comment on column vendue_open.slot.slot_id is 'stable id';
comment on column vendue_open.slot.slot is 'container.slot';
comment on column vendue_open.slot.name is 'its name for people';
comment on column vendue_open.slot.container_id is 'container that it is in';
comment on column vendue_open.slot.container is 'its code';
comment on column vendue_open.slot.stage is 'of the container';
comment on column vendue_open.slot.channel is 'of the container';
comment on column vendue_open.slot.position is 'its place in the container, from 1';
comment on column vendue_open.slot.floor is 'the least a placement costs, unless a floor rule says otherwise';
comment on column vendue_open.slot.rungs is 'rungs that it admits, with commas between';
comment on column vendue_open.slot.objectives is 'objectives that it admits, with commas between';
comment on column vendue_open.slot.removed is 'it is no longer in the market';

create view vendue_open.touchpoint as
select t.id as touchpoint_id, t.code as touchpoint, t.name, t.removed
from vendue.touchpoint t;
comment on view vendue_open.touchpoint is
    'A system that hosts contacts.';
comment on column vendue_open.touchpoint.touchpoint_id is 'stable id';
comment on column vendue_open.touchpoint.touchpoint is 'its code in the market file';
comment on column vendue_open.touchpoint.name is 'its name for people';
comment on column vendue_open.touchpoint.removed is 'it is no longer in the market';

create view vendue_open.rung as
select n.number as rung, n.name
from vendue.rung_name n;
comment on view vendue_open.rung is
    'The eight rungs of the ladder.';
comment on column vendue_open.rung.rung is '1 to 8';
comment on column vendue_open.rung.name is 'geographic to syndication';

create view vendue_open.objective as
select n.number as objective, n.name, n.bit
from vendue.objective_name n;
comment on view vendue_open.objective is
    'The nine objectives of a contact.';
comment on column vendue_open.objective.objective is '1 to 9';
comment on column vendue_open.objective.name is 'identify to refer';
comment on column vendue_open.objective.bit is 'its bit in columns that hold several objectives';

create view vendue_open.account as
select a.currency, a.account as account_id, a.name as account, a.code, a.seat as seat_id,
       case when a.rung > 0 then a.rung end as rung, a.normal, a.flag = 'elimination' as eliminates
from vendue.account a;
comment on view vendue_open.account is
    'An account of the ledger that was ever used.';
comment on column vendue_open.account.currency is 'each currency has accounts of its own';
comment on column vendue_open.account.account_id is '(seat * 10 + rung) * 10000 + code';
comment on column vendue_open.account.account is 'its name in full, as Assets:Receivable:Unbilled:acme';
comment on column vendue_open.account.code is 'its number in the chart of accounts, as 1110';
comment on column vendue_open.account.seat_id is 'stable id of the seat; 0: the house';
comment on column vendue_open.account.rung is '1 to 8; null: the account has none';
comment on column vendue_open.account.normal is 'side on which it usually stands: debit or credit';
comment on column vendue_open.account.eliminates is
    'transfer prices between departments: such accounts add up to 0 together';

create view vendue_open.period as
select f.period, timestamptz 'epoch' + f.from_us * interval '1 microsecond' as begins,
       timestamptz 'epoch' + f.until_us * interval '1 microsecond' as ends, c.at_us is not null as closed,
       timestamptz 'epoch' + c.at_us * interval '1 microsecond' as closed_at
from vendue.period_event f
left join vendue.period_event c on c.period = f.period and c.step = 9
where f.step = 1;
comment on view vendue_open.period is
    'A period whose closing has begun. Periods not listed are open.';
comment on column vendue_open.period.period is 'as 2026-11';
comment on column vendue_open.period.begins is 'first moment of it';
comment on column vendue_open.period.ends is 'first moment after it';
comment on column vendue_open.period.closed is 'all nine steps are done; nothing in it changes any more';
comment on column vendue_open.period.closed_at is 'when it was closed; null: it is being closed';

create view vendue_open.contact as
select c.contact_id, timestamptz 'epoch' + c.at_us * interval '1 microsecond' as at,
       timestamptz 'epoch' + c.began_us * interval '1 microsecond' as began, c.period, c.touchpoint as touchpoint_id,
       c.container as container_id, c.identity, c.tier, c.loyalty, c.condition, c.slots,
       nullif(c.experiment, 0) as experiment_id, c.market_version
from vendue.contact c;
comment on view vendue_open.contact is
    'A contact between a customer and the company, without anything that tells who the customer was.';
comment on column vendue_open.contact.contact_id is 'its id';
comment on column vendue_open.contact.at is 'when it was decided';
comment on column vendue_open.contact.began is 'when it began, by its touchpoint';
comment on column vendue_open.contact.period is 'month that it belongs to';
comment on column vendue_open.contact.touchpoint_id is 'system that hosted it';
comment on column vendue_open.contact.container_id is 'its template';
comment on column vendue_open.contact.identity is 'anonymous, first_time, repeat';
comment on column vendue_open.contact.tier is 'none, silver, gold, platinum, vip';
comment on column vendue_open.contact.loyalty is 'prospect, first_time_user, exclusive, switcher';
comment on column vendue_open.contact.condition is 'calm, urgent, distressed';
comment on column vendue_open.contact.slots is 'slots of its container';
comment on column vendue_open.contact.experiment_id is 'trial of floors that it took part in; null: none';
comment on column vendue_open.contact.market_version is 'version of the market that decided it';

create view vendue_open.contact_objective as
select r.contact_id, timestamptz 'epoch' + r.at_us * interval '1 microsecond' as at, r.period,
       r.container as container_id, r.offered, r.won, r.achieved
from vendue.report_contact r;
comment on view vendue_open.contact_objective is
    'What a contact offered, won and achieved of the nine objectives, as masks of their bits.';
comment on column vendue_open.contact_objective.contact_id is 'the contact';
comment on column vendue_open.contact_objective.at is 'when it was decided';
comment on column vendue_open.contact_objective.period is 'month that it belongs to';
comment on column vendue_open.contact_objective.container_id is 'its template';
comment on column vendue_open.contact_objective.offered is 'objectives that its slots admitted';
comment on column vendue_open.contact_objective.won is 'objectives that its placements pursued';
comment on column vendue_open.contact_objective.achieved is
    'objectives of its delivered placements, and those that the touchpoint reported';

create view vendue_open.placement as
select o.placement_id, o.contact_id, o.position, timestamptz 'epoch' + o.at_us * interval '1 microsecond' as at,
       o.period, o.slot as slot_id, o.message as message_id, o.seat as seat_id, nullif(o.owner, 0) as owner_id,
       nullif(o.contract, 0) as contract_id, nullif(o.campaign, 0) as campaign_id, nullif(o.deal, 0) as deal_id,
       (o.rung + 1)::smallint as rung, o.objectives, k.name as price_kind, o.price_micros * 0.000001 as price,
       o.bid_micros * 0.000001 as bid, o.floor_micros * 0.000001 as floor, o.currency, o.charge,
       timestamptz 'epoch' + o.expires_us * interval '1 microsecond' as expires
from vendue.outcome o
left join vendue.price_kind_name k on k.kind = o.kind
where o.filled;
comment on view vendue_open.placement is
    'A message that won a slot in a contact, at a clearing price.';
comment on column vendue_open.placement.placement_id is 'its id';
comment on column vendue_open.placement.contact_id is 'the contact';
comment on column vendue_open.placement.position is 'its slot''s place in the contact, from 1';
comment on column vendue_open.placement.at is 'when it was won';
comment on column vendue_open.placement.period is 'month that it was won in';
comment on column vendue_open.placement.slot_id is 'the slot';
comment on column vendue_open.placement.message_id is 'what won';
comment on column vendue_open.placement.seat_id is 'whose message it is';
comment on column vendue_open.placement.owner_id is 'department that owns the container; null: the house';
comment on column vendue_open.placement.contract_id is 'contract in force at the win; null: none';
comment on column vendue_open.placement.campaign_id is 'campaign of the message; null: none';
comment on column vendue_open.placement.deal_id is 'deal that it was won under; null: none';
comment on column vendue_open.placement.rung is '1 to 8: rung of the message';
comment on column vendue_open.placement.objectives is 'mask of the objectives that it pursues';
comment on column vendue_open.placement.price_kind is 'placement, response or share';
comment on column vendue_open.placement.price is
    'clearing price per placement or response; of a share the part of the revenue (0.0425: 4.25 %)';
comment on column vendue_open.placement.bid is 'what was bid, in the same kind';
comment on column vendue_open.placement.floor is 'the floor that counted';
comment on column vendue_open.placement.currency is 'of the amounts';
comment on column vendue_open.placement.charge is 'what makes a price per placement due';
comment on column vendue_open.placement.expires is 'when its delivery window ends';

create view vendue_open.empty_slot as
select o.contact_id, o.position, timestamptz 'epoch' + o.at_us * interval '1 microsecond' as at, o.period,
       o.slot as slot_id, o.reason, o.main_reason, o.considered, o.best_micros * 0.000001 as best_bid, o.currency
from vendue.outcome o
where not o.filled;
comment on view vendue_open.empty_slot is
    'A slot of a contact that nothing was shown in, and why.';
comment on column vendue_open.empty_slot.contact_id is 'the contact';
comment on column vendue_open.empty_slot.position is 'the slot''s place in the contact, from 1';
comment on column vendue_open.empty_slot.at is 'when it was decided';
comment on column vendue_open.empty_slot.period is 'month that it belongs to';
comment on column vendue_open.empty_slot.slot_id is 'the slot';
comment on column vendue_open.empty_slot.reason is 'why it stayed empty';
comment on column vendue_open.empty_slot.main_reason is
    'what stopped the bid that came nearest; null: no bid came near';
comment on column vendue_open.empty_slot.considered is 'bids that were judged';
comment on column vendue_open.empty_slot.best_bid is 'dearest bid that addressed the slot; null: none';
comment on column vendue_open.empty_slot.currency is 'of the amounts';

create view vendue_open.event as
select e.placement_id, e.contact_id, e.kind, e.state,
       timestamptz 'epoch' + e.effective_us * interval '1 microsecond' as effective,
       timestamptz 'epoch' + e.at_us * interval '1 microsecond' as at, e.period, e.slot as slot_id,
       e.message as message_id, e.seat as seat_id
from vendue.event e;
comment on view vendue_open.event is
    'What became of a placement: delivered, accepted, declined, cancelled, expired, lapsed, complained.';
comment on column vendue_open.event.placement_id is 'the placement';
comment on column vendue_open.event.contact_id is 'its contact';
comment on column vendue_open.event.kind is 'what happened';
comment on column vendue_open.event.state is 'posted: it counts; repeat, late, orphan: it was booked as nothing';
comment on column vendue_open.event.effective is 'when it happened, by the reporter';
comment on column vendue_open.event.at is 'when it was reported';
comment on column vendue_open.event.period is 'month that it counts in';
comment on column vendue_open.event.slot_id is 'slot of the placement';
comment on column vendue_open.event.message_id is 'its message';
comment on column vendue_open.event.seat_id is 'whose message it is';

create view vendue_open.revenue as
select r.order_id, r.placement_id, r.kind, r.state, r.currency, r.amount_micros * 0.000001 as amount,
       r.pool_micros * 0.000001 as pool, timestamptz 'epoch' + r.effective_us * interval '1 microsecond' as effective,
       timestamptz 'epoch' + r.at_us * interval '1 microsecond' as at, r.period, r.seat as seat_id,
       r.message as message_id, nullif(r.contract, 0) as contract_id, r.merchant as merchant_id, r.key as reference
from vendue.revenue r;
comment on view vendue_open.revenue is
    'An order that followed a placement, or a refund of it.';
comment on column vendue_open.revenue.order_id is 'the order; its refunds have the same';
comment on column vendue_open.revenue.placement_id is 'placement that it followed';
comment on column vendue_open.revenue.kind is 'converted or refunded';
comment on column vendue_open.revenue.state is
    'posted, no_share (nothing is shared), waiting (a refund before its order), repeat, exceeds, orphan (booked as nothing)';
comment on column vendue_open.revenue.currency is 'of the amounts';
comment on column vendue_open.revenue.amount is 'of the order, or of the refund';
comment on column vendue_open.revenue.pool is 'gain-share pool of the order after this';
comment on column vendue_open.revenue.effective is 'when it happened, by the reporter';
comment on column vendue_open.revenue.at is 'when it was reported';
comment on column vendue_open.revenue.period is 'month that it counts in';
comment on column vendue_open.revenue.seat_id is 'seat of the placement';
comment on column vendue_open.revenue.message_id is 'its message';
comment on column vendue_open.revenue.contract_id is 'contract that shares it; null: none';
comment on column vendue_open.revenue.merchant_id is
    'seat that made the sale; 0: the host; null: booked before merchants were noted';
comment on column vendue_open.revenue.reference is 'the order''s reference; of a refund its own';

create view vendue_open.share as
select p.order_id, p.part, p.seat as seat_id, (p.rung + 1)::smallint as rung, p.weight, nullif(p.model, 0) as model,
       p.divided as divided_again
from vendue.order_part p;
comment on view vendue_open.share is
    'A part of an order, by its newest division: who earns it, on which rung, with which weight.';
comment on column vendue_open.share.order_id is 'the order';
comment on column vendue_open.share.part is 'its number within the order';
comment on column vendue_open.share.seat_id is 'who earns it; 0: the host';
comment on column vendue_open.share.rung is '1 to 8: rung that it is booked under';
comment on column vendue_open.share.weight is 'its part of the whole is weight / sum of all weights of the order';
comment on column vendue_open.share.model is 'version of the fitted model that divided it; null: none';
comment on column vendue_open.share.divided_again is 'a touch that was reported after the order changed the division';

create view vendue_open.transfer as
select t.transfer_id, t.group_id, t.leg, t.kind, t.state, t.pending_id, t.origin_id, t.currency, t.debit as debit_id,
       t.credit as credit_id, t.amount_micros * 0.000001 as amount, t.amount_micros as micros,
       timestamptz 'epoch' + t.effective_us * interval '1 microsecond' as effective,
       timestamptz 'epoch' + t.posted_us * interval '1 microsecond' as posted, t.period, t.late,
       nullif(t.seat, 0) as seat_id, nullif(t.contract, 0) as contract_id, nullif(t.slot, 0) as slot_id,
       nullif(t.message, 0) as message_id, t.placement_id, (t.rung + 1)::smallint as rung, t.objectives, t.model,
       t.reason, t.reference, t.log, t.batch, t.idx
from vendue.transfer_kept t;
comment on view vendue_open.transfer is
    'A transfer of the ledger: one debit, one credit, one amount. Also those of periods that were detached and are kept here.';
comment on column vendue_open.transfer.transfer_id is 'derived from what it books, so that nothing is booked twice';
comment on column vendue_open.transfer.group_id is 'transfers that belong together: of a placement, an order, a payout';
comment on column vendue_open.transfer.leg is 'its number in what caused it';
comment on column vendue_open.transfer.kind is
    'hold, charge, release, internal, share, refund, commission, credit, deposit, bill, lock, payout and so on';
comment on column vendue_open.transfer.state is
    'pending (a hold), posted (it counts in balances), voided (the end of a hold)';
comment on column vendue_open.transfer.pending_id is 'of the end of a hold: the hold';
comment on column vendue_open.transfer.origin_id is 'of a correction: the transfer corrected';
comment on column vendue_open.transfer.currency is 'of the amount';
comment on column vendue_open.transfer.debit_id is 'account debited; see account';
comment on column vendue_open.transfer.credit_id is 'account credited; see account';
comment on column vendue_open.transfer.amount is 'above 0';
comment on column vendue_open.transfer.micros is 'the same in millionths, an integer';
comment on column vendue_open.transfer.effective is 'when it happened';
comment on column vendue_open.transfer.posted is 'when it was decided';
comment on column vendue_open.transfer.period is 'month that it is booked in';
comment on column vendue_open.transfer.late is 'it happened in a period that was being closed already';
comment on column vendue_open.transfer.seat_id is 'whose statement it stands on; null: none';
comment on column vendue_open.transfer.contract_id is 'contract by which it was booked; null: none';
comment on column vendue_open.transfer.slot_id is 'slot; null: none';
comment on column vendue_open.transfer.message_id is 'message; null: none';
comment on column vendue_open.transfer.placement_id is 'placement that it stems from; null: none';
comment on column vendue_open.transfer.rung is '1 to 8; null: none';
comment on column vendue_open.transfer.objectives is 'mask of the objectives pursued';
comment on column vendue_open.transfer.model is 'version of the fitted model that divided it; null: none';
comment on column vendue_open.transfer.reason is 'a word';
comment on column vendue_open.transfer.reference is 'of the order, refund, payment';
comment on column vendue_open.transfer.log is 'journal of the fact that caused it; 0: an act of finance';
comment on column vendue_open.transfer.batch is 'frame of the journal, or number of the act';
comment on column vendue_open.transfer.idx is 'number within it';

create view vendue_open.entry as
select e.currency, e.account as account_id, e.micros * 0.000001 as amount, e.micros, e.transfer_id, e.kind, e.period,
       timestamptz 'epoch' + e.effective_us * interval '1 microsecond' as effective, nullif(e.seat, 0) as seat_id
from vendue.entry e;
comment on view vendue_open.entry is
    'Both sides of every posted transfer: sums by account are balances.';
comment on column vendue_open.entry.currency is 'of the amount';
comment on column vendue_open.entry.account_id is 'see account';
comment on column vendue_open.entry.amount is 'debits above 0, credits below';
comment on column vendue_open.entry.micros is 'the same in millionths';
comment on column vendue_open.entry.transfer_id is 'the transfer';
comment on column vendue_open.entry.kind is 'its kind';
comment on column vendue_open.entry.period is 'month that it is booked in';
comment on column vendue_open.entry.effective is 'when it happened';
comment on column vendue_open.entry.seat_id is 'whose statement it stands on; null: none';

create view vendue_open.daily as
select f.period, (date '1970-01-01' + f.day) as day, f.currency, f.debit as debit_id, f.credit as credit_id, f.kind,
       nullif(f.seat, 0) as seat_id, nullif(f.contract, 0) as contract_id, nullif(f.slot, 0) as slot_id,
       nullif(f.message, 0) as message_id, case when f.rung >= 0 then (f.rung + 1)::smallint end as rung, f.objectives,
       f.count as transfers, f.micros * 0.000001 as amount, f.micros
from vendue.report_fold f;
comment on view vendue_open.daily is
    'Sums of posted transfers by day and everything that they are told apart by: quick to read, and proven at every close.';
comment on column vendue_open.daily.period is 'month that they are booked in';
comment on column vendue_open.daily.day is 'day on which they happened, UTC';
comment on column vendue_open.daily.currency is 'of the amounts';
comment on column vendue_open.daily.debit_id is 'account debited';
comment on column vendue_open.daily.credit_id is 'account credited';
comment on column vendue_open.daily.kind is 'of the transfers';
comment on column vendue_open.daily.seat_id is 'whose statement they stand on; null: none';
comment on column vendue_open.daily.contract_id is 'contract; null: none';
comment on column vendue_open.daily.slot_id is 'slot; null: none';
comment on column vendue_open.daily.message_id is 'message; null: none';
comment on column vendue_open.daily.rung is '1 to 8; null: none';
comment on column vendue_open.daily.objectives is 'mask of the objectives pursued';
comment on column vendue_open.daily.transfers is 'how many';
comment on column vendue_open.daily.amount is 'their sum';
comment on column vendue_open.daily.micros is 'the same in millionths';

create view vendue_open.account_day as
select d.period, (date '1970-01-01' + d.day) as day, d.currency, d.account as account_id,
       d.debit_micros * 0.000001 as debit, d.credit_micros * 0.000001 as credit
from vendue.account_day d;
comment on view vendue_open.account_day is
    'What was posted to an account on a day of a period.';
comment on column vendue_open.account_day.period is 'month that it is booked in';
comment on column vendue_open.account_day.day is 'day on which it happened, UTC';
comment on column vendue_open.account_day.currency is 'of the amounts';
comment on column vendue_open.account_day.account_id is 'see account';
comment on column vendue_open.account_day.debit is 'sum of debits';
comment on column vendue_open.account_day.credit is 'sum of credits';

create view vendue_open.balance as
select b.period, b.currency, b.account as account_id, b.debit * 0.000001 as debit, b.credit * 0.000001 as credit,
       (b.debit - b.credit) * 0.000001 as balance
from vendue.balance b;
comment on view vendue_open.balance is
    'Balances of every account at the end of each closed period.';
comment on column vendue_open.balance.period is 'the closed period';
comment on column vendue_open.balance.currency is 'of the amounts';
comment on column vendue_open.balance.account_id is 'see account';
comment on column vendue_open.balance.debit is 'all debits until then';
comment on column vendue_open.balance.credit is 'all credits until then';
comment on column vendue_open.balance.balance is 'debit less credit';

create view vendue_open.hold as
select h.transfer_id, h.placement_id, h.currency, h.amount_micros * 0.000001 as amount,
       timestamptz 'epoch' + h.effective_us * interval '1 microsecond' as effective, h.period,
       nullif(h.seat, 0) as seat_id
from vendue.hold h;
comment on view vendue_open.hold is
    'What is held for a placement and not yet charged or released.';
comment on column vendue_open.hold.transfer_id is 'the hold';
comment on column vendue_open.hold.placement_id is 'its placement';
comment on column vendue_open.hold.currency is 'of the amount';
comment on column vendue_open.hold.amount is 'what is held';
comment on column vendue_open.hold.effective is 'since when';
comment on column vendue_open.hold.period is 'month of the win';
comment on column vendue_open.hold.seat_id is 'whose it is';

create view vendue_open.statement_line as
select l.period, l.seat as seat_id, l.currency, l.section, nullif(l.slot, 0) as slot_id,
       nullif(l.message, 0) as message_id, case when l.rung >= 0 then (l.rung + 1)::smallint end as rung, l.won,
       l.delivered, l.ended, l.converted, l.refunded, l.revenue_micros * 0.000001 as revenue,
       l.micros * 0.000001 as amount
from vendue.statement_line l;
comment on view vendue_open.statement_line is
    'Lines of statements as they stand now; of closed periods as they were closed.';
comment on column vendue_open.statement_line.period is 'the month';
comment on column vendue_open.statement_line.seat_id is 'whose statement it is';
comment on column vendue_open.statement_line.currency is 'of the amounts';
comment on column vendue_open.statement_line.section is 'charged, prepaid, bought, sold, owed, earned';
comment on column vendue_open.statement_line.slot_id is 'slot; null: none';
comment on column vendue_open.statement_line.message_id is 'message; null: none, or not this seat''s';
comment on column vendue_open.statement_line.rung is '1 to 8; null: none';
comment on column vendue_open.statement_line.won is 'placements won';
comment on column vendue_open.statement_line.delivered is 'of them delivered';
comment on column vendue_open.statement_line.ended is 'not shown, or without the response they were priced by';
comment on column vendue_open.statement_line.converted is 'orders';
comment on column vendue_open.statement_line.refunded is 'refunds';
comment on column vendue_open.statement_line.revenue is 'what orders came to, less refunds';
comment on column vendue_open.statement_line.amount is 'what the line comes to';

create view vendue_open.statement as
select t.period, t.seat as seat_id, t.section, t.currency, t.sum_micros * 0.000001 as lines,
       t.carried_in_micros * 0.000001 as carried_in, t.total_micros * 0.000001 as total,
       t.carried_out_micros * 0.000001 as carried_out, encode(s.digest, 'hex') as digest
from vendue.statement_total t
left join vendue.statement s on s.period = t.period and s.seat = t.seat;
comment on view vendue_open.statement is
    'What a section of a statement of a closed period came to.';
comment on column vendue_open.statement.period is 'the month';
comment on column vendue_open.statement.seat_id is 'whose statement it is';
comment on column vendue_open.statement.section is 'charged, prepaid, bought, sold, owed, earned';
comment on column vendue_open.statement.currency is 'of the amounts';
comment on column vendue_open.statement.lines is 'exact sum of its lines';
comment on column vendue_open.statement.carried_in is 'less than a cent, from the statement before';
comment on column vendue_open.statement.total is 'in whole cents';
comment on column vendue_open.statement.carried_out is 'less than a cent, to the next statement';
comment on column vendue_open.statement.digest is 'SHA-256 of the statement''s CSV';

create view vendue_open.gain_share as
select g.seat as seat_id, g.currency, g.accrued_micros * 0.000001 as accrued, g.payable_micros * 0.000001 as payable,
       g.held_micros * 0.000001 as held, g.in_transit_micros * 0.000001 as in_transit, g.paid_micros * 0.000001 as paid,
       g.clawback_micros * 0.000001 as clawback
from vendue.gain_state g;
comment on view vendue_open.gain_share is
    'How the shares of a beneficiary stand.';
comment on column vendue_open.gain_share.seat_id is 'the beneficiary';
comment on column vendue_open.gain_share.currency is 'of the amounts';
comment on column vendue_open.gain_share.accrued is 'within validation';
comment on column vendue_open.gain_share.payable is 'validated, not yet paid out';
comment on column vendue_open.gain_share.held is 'under dispute';
comment on column vendue_open.gain_share.in_transit is 'told to the bank, not yet confirmed';
comment on column vendue_open.gain_share.paid is 'confirmed by the bank';
comment on column vendue_open.gain_share.clawback is 'paid and refunded afterwards, below 0: to come back';

create view vendue_open.dispute as
select d.number as dispute, d.kind, d.seat as seat_id, d.currency, d.amount_micros * 0.000001 as amount, d.order_id,
       d.reference, timestamptz 'epoch' + d.opened_us * interval '1 microsecond' as opened,
       timestamptz 'epoch' + d.deadline_us * interval '1 microsecond' as deadline, d.state,
       timestamptz 'epoch' + d.ended_us * interval '1 microsecond' as ended
from vendue.dispute_now d;
comment on view vendue_open.dispute is
    'What is contested, and how it stands.';
comment on column vendue_open.dispute.dispute is 'its number, that of the act which opened it';
comment on column vendue_open.dispute.kind is 'statement, share or chargeback';
comment on column vendue_open.dispute.seat_id is 'with whom';
comment on column vendue_open.dispute.currency is 'of the amount';
comment on column vendue_open.dispute.amount is 'what is contested; of a share 0: all of it';
comment on column vendue_open.dispute.order_id is 'of a share: the order';
comment on column vendue_open.dispute.reference is 'statement, order or payment';
comment on column vendue_open.dispute.opened is 'when it was opened';
comment on column vendue_open.dispute.deadline is 'until when it is to be decided';
comment on column vendue_open.dispute.state is 'open, accepted, rejected, won, lost';
comment on column vendue_open.dispute.ended is 'when it ended; null: open';

create view vendue_open.act as
select a.number as act, a.kind, timestamptz 'epoch' + a.at_us * interval '1 microsecond' as at, a.transfers,
       encode(a.digest, 'hex') as digest
from vendue.act a;
comment on view vendue_open.act is
    'What finance did: numbered deeds that made the transfers of log 0. Who did them is not shown here.';
comment on column vendue_open.act.act is 'its number: batch of its transfers';
comment on column vendue_open.act.kind is 'deposit, bill, lock, payout, adjustment and so on';
comment on column vendue_open.act.at is 'when';
comment on column vendue_open.act.transfers is 'how many transfers it made';
comment on column vendue_open.act.digest is 'its place in the chain of acts';

create view vendue_open.unexplained as
select u.what, u.id, u.currency, u.due_micros * 0.000001 as due, u.posted_micros * 0.000001 as posted
from vendue.unexplained u;
comment on view vendue_open.unexplained is
    'Placements and orders whose posted amounts are not what their facts say. Empty when the books are right.';
comment on column vendue_open.unexplained.what is 'placement or order';
comment on column vendue_open.unexplained.id is 'its id';
comment on column vendue_open.unexplained.currency is 'of the amounts';
comment on column vendue_open.unexplained.due is 'what its facts say';
comment on column vendue_open.unexplained.posted is 'what is posted';

create view vendue_open.payout as
select p.payout_id, p.period, p.seat as seat_id, p.currency, p.amount_micros * 0.000001 as amount, p.from_currency,
       p.spent_micros * 0.000001 as spent, p.spread_micros * 0.000001 as spread, p.end_to_end, p.state, p.act
from vendue.payout_now p;
comment on view vendue_open.payout is
    'A payment to a seat that the bank was told of, and how it stands.';
comment on column vendue_open.payout.payout_id is 'its id';
comment on column vendue_open.payout.period is 'closed month that it is of';
comment on column vendue_open.payout.seat_id is 'who is paid';
comment on column vendue_open.payout.currency is 'that is paid';
comment on column vendue_open.payout.amount is 'what is paid';
comment on column vendue_open.payout.from_currency is 'that it was earned in';
comment on column vendue_open.payout.spent is 'what of the earned currency it took';
comment on column vendue_open.payout.spread is 'of that, what the host kept when it was exchanged';
comment on column vendue_open.payout.end_to_end is 'the id by which the bank reports it';
comment on column vendue_open.payout.state is 'sent, paid, rejected, returned';
comment on column vendue_open.payout.act is 'act that made it';

create view vendue_open.rate as
select r.from_currency, r.to_currency, timestamptz 'epoch' + r.at_us * interval '1 microsecond' as at, r.num, r.den,
       r.spread_ppm, r.source
from vendue.rate r;
comment on view vendue_open.rate is
    'An exchange rate, from a time on.';
comment on column vendue_open.rate.from_currency is 'one unit of this';
comment on column vendue_open.rate.to_currency is 'is so many of this';
comment on column vendue_open.rate.at is 'in force from then on';
comment on column vendue_open.rate.num is 'units of to_currency';
comment on column vendue_open.rate.den is 'for so many of from_currency';
comment on column vendue_open.rate.spread_ppm is 'what the host keeps of what is exchanged, in millionths';
comment on column vendue_open.rate.source is 'where it is from';

create view vendue_open.bill as
select b.period, b.seat as seat_id, b.currency, b.reference, b.billed_micros * 0.000001 as billed,
       b.received_micros * 0.000001 as received
from vendue.bill_open b;
comment on view vendue_open.bill is
    'What a partner was billed for a period, and what the bank reported as received for it.';
comment on column vendue_open.bill.period is 'the closed month';
comment on column vendue_open.bill.seat_id is 'who was billed';
comment on column vendue_open.bill.currency is 'of the amounts';
comment on column vendue_open.bill.reference is 'by which a payment is matched';
comment on column vendue_open.bill.billed is 'in whole cents';
comment on column vendue_open.bill.received is 'so far';

grant select on all tables in schema vendue_open to vendue_reader, vendue_ledger, vendue_console;
