-- Transfers by period, and their sums. Each period's transfers are a table of their own (a partition), so that an old
-- period can be detached and kept read-only. Sums that reports, statements and balances read (folds) are written with
-- the transfers, in the same transaction, and are a cache: they are proven against the rows at every close.
set local search_path = vendue;

-- --- What hangs on the table that is replaced: made again below ----------------------------------

drop view unexplained;
drop view report_rung;
drop view statement_line;
drop view statement_part;
drop view price_transfer;
drop view hold;
drop view entry;
drop index transfer_period;
alter table transfer rename to transfer_before;
alter table transfer_before rename constraint transfer_pkey to transfer_before_pkey;

-- --- Transfers -----------------------------------------------------------------------------------

-- As in 004. The key says where a transfer stands: the fact that caused it (log, batch, idx) and which one of that
-- fact's it is (leg); of finance's the act (log 0, batch: the act's number).
create table transfer (
    batch bigint not null,
    debit bigint not null,
    credit bigint not null,
    amount_micros bigint not null check (amount_micros > 0),
    effective_us bigint not null,     -- when it happened
    posted_us bigint not null,        -- when it was decided
    log integer not null,             -- of the fact that caused it; 0: finance
    idx integer not null,
    seat integer,                     -- whose statement it stands on
    contract integer,
    slot integer,
    message integer,
    objectives integer,               -- mask
    model integer,                    -- version of the fit that divided it; null: none
    leg smallint not null,
    rung smallint,                    -- 0 to 7
    late boolean not null,            -- happened in a period already fenced; booked in the next open one
    transfer_id uuid not null,        -- derived from what it books, so that nothing is booked twice
    group_id uuid not null,           -- transfers that belong together: a placement, an order, a payout
    placement_id uuid,
    pending_id uuid,                  -- of a terminal: the hold it ends
    origin_id uuid,                   -- the transfer that it corrects
    period text not null,
    kind text not null,
    state text not null check (state in ('pending', 'posted', 'voided')),
    currency text not null,
    reason text,
    reference text,                   -- of the order, refund, deposit
    primary key (log, batch, idx, leg, period) with (fillfactor = 100),
    check (debit <> credit),
    check (state <> 'voided' or pending_id is not null),
    check (state <> 'pending' or pending_id is null)
) partition by list (period);

-- Every transfer's id once, in whatever period, and what caused it; also of periods that were detached. A terminal's
-- id is derived from its hold's, so this is also what lets a hold have one terminal only.
create table transfer_key (
    transfer_id uuid primary key,
    batch bigint not null,
    log integer not null,
    idx integer not null
);

create table transfer_default partition of transfer default;
create index transfer_pending on transfer (pending_id) where pending_id is not null;
-- Orders and what finance did: few, and looked up by what they belong to. A placement's transfers have ids that are
-- derived from the placement's.
create index transfer_group on transfer (group_id)
    where kind not in ('hold', 'charge', 'release', 'internal', 'commission');

do $$
declare
    p text;
begin
    for p in select distinct period from vendue.transfer_before where period ~ '^[0-9]{4}-[0-9]{2}$' loop
        execute format('create table vendue.%I partition of vendue.transfer for values in (%L)',
                       'transfer_' || replace(p, '-', '_'), p);
        execute format('comment on table vendue.%I is %L', 'transfer_' || replace(p, '-', '_'),
                       'Transfers of period ' || p || '.');
    end loop;
end
$$;

-- Finance's transfers of before all stood at the same place: numbered in the order in which exports list them.
insert into transfer (transfer_id, group_id, leg, kind, state, pending_id, currency, debit, credit, amount_micros,
                      effective_us, posted_us, period, late, log, batch, idx, seat, contract, slot, message,
                      placement_id, objectives, rung, reason, reference)
select transfer_id, group_id, leg, kind, state, pending_id, currency, debit, credit, amount_micros,
       effective_us, posted_us, period, late, log, batch,
       case when log = 0 then row_number() over (partition by log, batch order by idx, group_id, leg, transfer_id)::integer
            else idx end,
       seat, contract, slot, message, placement_id, objectives, rung, reason, reference
from transfer_before;

insert into transfer_key (transfer_id, log, batch, idx)
select transfer_id, log, batch, idx from transfer;

drop table transfer_before;

-- A transfer by its id.
create view transfer_by_id as
select t.* from transfer_key k
join transfer t on t.log = k.log and t.batch = k.batch and t.idx = k.idx and t.transfer_id = k.transfer_id;

-- Periods whose transfers were detached: no program reads `relation` but through transfer_kept, and none but its
-- owner can write to it.
create table transfer_detached (
    period text primary key,
    relation text not null,
    transfers bigint not null,
    micros numeric not null,          -- of all of them, pending and voided ones too
    at_us bigint not null
);
-- All transfers, also of detached periods; made anew by whoever detaches one (ledger/partition.c). What looks at one
-- order or placement, or at all periods, reads this; what looks at an open period reads `transfer`.
create view transfer_kept as select * from transfer;

-- --- Sums ----------------------------------------------------------------------------------------

-- What one load of transfers came to, by period, day (effective, UTC, since 1970) and everything that transfers are
-- told apart by. (log, batch to upto): the load, or the loads that were merged into one. No nulls: 0 none; rungs -1
-- none; won_rung is that of the placement behind it.
create table fold (
    batch bigint not null,
    upto bigint not null,
    debit bigint not null,
    credit bigint not null,
    count bigint not null check (count > 0),
    log integer not null,
    day integer not null,
    seat integer not null,
    contract integer not null,
    slot integer not null,
    message integer not null,
    objectives integer not null,
    rung smallint not null,
    won_rung smallint not null,
    late boolean not null,
    period text not null,
    currency text not null,
    kind text not null,
    state text not null,
    micros numeric not null check (micros > 0)
);
create index fold_load on fold (period, log, batch, upto);

-- What one load of facts adds to the counts and the revenue of statement lines.
create table count_fold (
    batch bigint not null,
    upto bigint not null,
    won bigint not null,
    delivered bigint not null,
    ended bigint not null,
    converted bigint not null,
    refunded bigint not null,
    log integer not null,
    seat integer not null,
    slot integer not null,
    message integer not null,
    rung smallint not null,
    period text not null,
    currency text not null,
    section text not null,
    revenue numeric not null
);
create index count_fold_load on count_fold (period, log, batch, upto);

-- What facts count for on statements, one row a fact and section: what count_fold adds up. A price that is due at
-- a response or a conversion ends without money when the customer declines or does not answer in time.
create view count_part as
select p.period, p.seat, p.currency, p.section, p.slot, p.message, p.rung, o.log, o.batch, 1 as won, 0 as delivered,
       0 as ended, 0 as converted, 0 as refunded, 0::bigint as revenue_micros
from statement_placement p
join outcome o on o.placement_id = p.placement_id
union all
select e.period, p.seat, p.currency, p.section, p.slot, p.message, p.rung, e.log, e.batch,
       0, case when e.kind = 'delivered' then 1 else 0 end,
       case when e.kind = 'delivered' then 0 else 1 end, 0, 0, 0
from event e
join outcome o on o.placement_id = e.placement_id
join statement_placement p on p.placement_id = e.placement_id
where e.state = 'posted'
  and (e.kind in ('delivered', 'cancelled', 'expired', 'lapsed')
       or e.kind = 'declined' and (o.kind = 1 or o.kind = 0 and o.charge in ('response', 'conversion')))
union all
select r.period, p.seat, p.currency, x.section, p.slot, p.message, p.rung, r.log, r.batch, 0, 0, 0,
       case when r.kind = 'converted' then 1 else 0 end,
       case when r.kind = 'refunded' then 1 else 0 end,
       case when r.kind = 'refunded' then -r.amount_micros else r.amount_micros end
from revenue r
join statement_placement p on p.placement_id = r.placement_id
cross join lateral (
    select p.section union all select 'owed' where p.merchant = 'partner' and r.state = 'posted') x
where r.state in ('posted', 'no_share', 'waiting');

-- Facts and transfers of before.
insert into fold (period, day, currency, debit, credit, kind, state, seat, contract, slot, message, rung, won_rung,
                  objectives, late, log, batch, upto, count, micros)
select t.period, t.effective_us / 86400000000, t.currency, t.debit, t.credit, t.kind, t.state, coalesce(t.seat, 0),
       coalesce(t.contract, 0), coalesce(t.slot, 0), coalesce(t.message, 0), coalesce(t.rung, (-1)::smallint),
       coalesce(o.rung, (-1)::smallint), coalesce(t.objectives, 0), t.late, t.log, 0, w.upto, count(*),
       sum(t.amount_micros)
from transfer t
join (select log, max(batch) as upto from transfer group by log) w on w.log = t.log
left join outcome o on o.placement_id = t.placement_id
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18;

insert into count_fold (period, seat, currency, section, slot, message, rung, log, batch, upto, won, delivered, ended,
                        converted, refunded, revenue)
select c.period, c.seat, c.currency, c.section, c.slot, c.message, c.rung, c.log, 0, w.batch, sum(c.won),
       sum(c.delivered), sum(c.ended), sum(c.converted), sum(c.refunded), sum(c.revenue_micros)
from count_part c
join watermark w on w.log = c.log
group by 1, 2, 3, 4, 5, 6, 7, 8, 10;

-- --- Views, as in 004, 005 and 008 ---------------------------------------------------------------

-- Both sides of every posted transfer, debits positive.
create view entry as
select t.currency, t.debit as account, t.amount_micros as micros, t.transfer_id, t.group_id, t.kind,
       t.period, t.effective_us, t.seat
from transfer_kept t where t.state = 'posted'
union all
select t.currency, t.credit, -t.amount_micros, t.transfer_id, t.group_id, t.kind, t.period,
       t.effective_us, t.seat
from transfer_kept t where t.state = 'posted';

-- What is held and not yet charged or released.
create view hold as
select p.*
from transfer p
where p.state = 'pending' and not exists (select 1 from transfer t where t.pending_id = p.transfer_id);

-- What was posted to an account in a day of a period; debit and credit apart. Reads folds.
create view account_day as
select x.period, x.day, x.currency, x.account, sum(x.debit) as debit_micros, sum(x.credit) as credit_micros
from (select period, day, currency, debit as account, micros as debit, 0::numeric as credit
      from fold where state = 'posted'
      union all
      select period, day, currency, credit, 0, micros from fold where state = 'posted') x
group by x.period, x.day, x.currency, x.account;

-- What transfers of prices come to: a commission that shrinks after a refund is booked back.
create view price_transfer as
select placement_id, period, effective_us, slot, currency, rung,
       case when kind = 'commission' and debit % 10000 not in (1110, 2000, 5100) then -amount_micros
            else amount_micros end as micros
from transfer_kept
where state = 'posted' and kind in ('charge', 'internal', 'commission');

-- Every placement and every order whose posted amount is not what its facts say. Must be empty.
create view unexplained as
select 'placement' as what, placement_id as id, currency, sum(due)::bigint as due_micros,
       sum(posted)::bigint as posted_micros
from (
    select placement_id, currency, micros::numeric as due, 0::numeric as posted from charge_due
    union all
    select placement_id, currency, 0, micros::numeric from price_transfer) c
group by placement_id, currency
having sum(due) <> sum(posted)
union all
select 'order', order_id, currency, sum(due)::bigint, sum(posted)::bigint
from (
    select * from (
        select distinct on (order_id) order_id, currency, pool_micros::numeric as due, 0::numeric as posted
        from revenue where state = 'posted'
        order by order_id, log desc, batch desc, idx desc) last
    union all
    select e.group_id, e.currency, 0, e.micros from entry e
    where e.kind in ('share', 'refund', 'credit') and e.account % 10000 in (1150, 5000)) p
group by order_id, currency
having sum(due) <> sum(posted);

-- What statements are made of: sums of posted transfers and of facts that count, each on one line of one section of
-- one seat. Sections: 'charged' (on credit), 'prepaid' (from the deposit), 'bought' (a department, at transfer
-- price), 'sold' (a department's slots), 'owed' (gain-share pools of a merchant), 'earned' (shares of such pools).
-- rung -1, slot 0, message 0: none. A seat never sees another's message. Moves between a seat's own accounts (bills,
-- deposits, locks, payouts, disputes) are no part of a line.
create view statement_part as
select f.period, (f.debit / 100000)::integer as seat, f.currency,
       case f.debit % 10000 when 1110 then 'charged' when 2000 then 'prepaid' when 5100 then 'bought'
                            when 4100 then 'sold' when 1150 then 'owed' else 'earned' end as section,
       f.slot, case when f.seat = f.debit / 100000 then f.message else 0 end as message,
       case f.debit % 10000 when 1150 then f.won_rung else f.rung end as rung,
       0::bigint as won, 0::bigint as delivered, 0::bigint as ended, 0::bigint as converted,
       case when f.debit % 10000 in (2100, 4210) and f.kind = 'refund' then f.count else 0 end as refunded,
       0::numeric as revenue_micros,
       case when f.debit % 10000 in (4100, 2100, 4210) then -f.micros else f.micros end as micros
from fold f
where f.state = 'posted' and f.debit >= 100000 and f.debit % 10000 in (1110, 2000, 5100, 4100, 1150, 2100, 4210)
  and f.kind in ('charge', 'internal', 'share', 'refund', 'commission', 'credit', 'true_up', 'adjustment')
union all
select f.period, (f.credit / 100000)::integer, f.currency,
       case f.credit % 10000 when 1110 then 'charged' when 2000 then 'prepaid' when 5100 then 'bought'
                             when 4100 then 'sold' when 1150 then 'owed' else 'earned' end,
       f.slot, case when f.seat = f.credit / 100000 then f.message else 0 end,
       case f.credit % 10000 when 1150 then f.won_rung else f.rung end,
       0, case when f.credit % 10000 = 4100 and f.kind in ('charge', 'internal') then f.count else 0 end, 0,
       case when f.credit % 10000 in (2100, 4210) and f.kind = 'share' then f.count else 0 end,
       case when f.credit % 10000 in (2100, 4210) and f.kind = 'refund' then f.count else 0 end, 0,
       case when f.credit % 10000 in (4100, 2100, 4210) then f.micros else -f.micros end
from fold f
where f.state = 'posted' and f.credit >= 100000
  and f.credit % 10000 in (1110, 2000, 5100, 4100, 1150, 2100, 4210)
  and f.kind in ('charge', 'internal', 'share', 'refund', 'commission', 'credit', 'true_up', 'adjustment')
union all
select c.period, c.seat, c.currency, c.section, c.slot, c.message, c.rung, c.won, c.delivered, c.ended, c.converted,
       c.refunded, c.revenue, 0
from count_fold c;

create view statement_line as
select period, seat, currency, section, slot, message, rung,
       sum(won)::bigint as won, sum(delivered)::bigint as delivered, sum(ended)::bigint as ended,
       sum(converted)::bigint as converted, sum(refunded)::bigint as refunded,
       sum(revenue_micros)::bigint as revenue_micros, sum(micros)::bigint as micros
from statement_part
group by period, seat, currency, section, slot, message, rung;

create view report_rung as
select period, at_us, slot, currency, rung, 1 as placements, 0 as delivered, 0 as converted,
       0::bigint as income_micros, 0::bigint as gain_micros
from outcome where filled
union all
select e.period, e.effective_us, e.slot, o.currency, o.rung, 0, 1, 0, 0, 0
from event e join outcome o on o.placement_id = e.placement_id
where e.kind = 'delivered' and e.state = 'posted'
union all
select r.period, r.effective_us, o.slot, r.currency, o.rung, 0, 0, 1, 0, 0
from revenue r join outcome o on o.placement_id = r.placement_id
where r.kind = 'converted' and r.state in ('posted', 'no_share')
union all
select period, effective_us, slot, currency, rung, 0, 0, 0, micros, 0
from price_transfer
union all
select period, effective_us, slot, currency, rung, 0, 0, 0, 0,
       case when debit % 10000 in (1150, 5000) then amount_micros else 0 end
       - case when credit % 10000 in (1150, 5000) then amount_micros else 0 end
from transfer_kept
where state = 'posted' and kind in ('share', 'refund', 'credit', 'true_up');

grant select on transfer, transfer_key, transfer_by_id, transfer_detached, transfer_kept, fold, count_fold, count_part,
    entry, hold, account_day, price_transfer, unexplained, statement_part, statement_line, report_rung
    to vendue_ledger, vendue_console;
grant insert on transfer, transfer_key, fold to vendue_ledger, vendue_console;
grant insert on count_fold to vendue_ledger;
-- To merge small rows into one: a cache, proven against what it was made of.
grant delete on fold, count_fold to vendue_ledger;

comment on table transfer is 'One transfer of one amount from one account to another, by period; never changed.';
comment on table transfer_default is 'Transfers of periods that have no partition of their own.';
comment on table transfer_key is 'The id of every transfer, once, and the fact or act that caused it.';
comment on table transfer_detached is 'A period whose transfers were detached, and the table that keeps them.';
comment on table fold is 'What transfers of one load, or of several merged ones, came to: a cache of sums.';
comment on table count_fold is 'What facts of one load add to the counts of a statement line: a cache of sums.';
comment on view transfer_by_id is 'A transfer, found quickly by its id.';
comment on view transfer_kept is 'Every transfer, also of detached periods.';
comment on view count_part is 'What one fact counts for on one line of a statement.';
comment on view entry is 'One side of a posted transfer; debits are positive.';
comment on view hold is 'A price that is held: neither charged nor released yet.';
comment on view account_day is 'What was posted to an account on one day of a period, debit and credit apart.';
comment on view price_transfer is 'What one transfer of a price comes to.';
comment on view unexplained is 'A placement or order whose posted amount is not what its facts say; must be empty.';
comment on view statement_part is 'A sum that is part of one line of a statement.';
comment on view statement_line is 'One line of one section of the statement of a seat for a period.';
comment on view report_rung is 'One thing that happened on a rung: a placement, delivery, conversion, or income.';
