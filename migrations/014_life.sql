-- What finance does: acts. Each is numbered and holds the digest of the one before it, so none can be changed,
-- added or removed unnoticed (slotctl verify computes the chain again). Rows are only added. Every transfer that
-- no fact caused (log 0) belongs to the act whose number is its batch; those with batch 0 are from before acts.
set local search_path = vendue;

create table act (
    number bigint primary key check (number > 0),
    kind text not null,               -- deposit bill lock follow true_up payout dispute chargeback adjustment ...
    author text not null,             -- who did it; a program by its name
    approver text not null,           -- '' where none is asked for
    at_us bigint not null,
    body text not null,               -- lines 'key value'
    transfers integer not null,       -- how many it booked
    previous bytea not null,          -- digest of the act before; of the first one zeroes
    digest bytea not null
);
comment on table act is 'Deeds of finance, numbered and chained by digest. Insert-only.';
comment on column act.body is 'What was said: lines of key and value.';

-- One row for ever, to be locked by whoever makes an act, so that acts take turns and numbers have no gaps.
create table act_gate (
    gate smallint primary key check (gate = 1),
    turns bigint not null
);
insert into act_gate (gate, turns) values (1, 0);
comment on table act_gate is 'Its one row is locked by whoever makes an act.';

grant select on act, act_gate to vendue_ledger, vendue_console;
grant insert on act to vendue_ledger, vendue_console;
-- Enough to lock the rows; acts also read the fence, under the lock that a fence waits for.
grant update (turns) on act_gate to vendue_ledger, vendue_console;
grant select on period_gate to vendue_ledger;
grant update (fences) on period_gate to vendue_ledger;

-- --- The life of shares: accrued, payable, held, paid --------------------------------------------

-- How far facts of each log were looked at: a mark, moved with the work it vouches for.
create table life_position (
    log integer primary key,
    batch bigint not null
);
comment on table life_position is 'How far the facts of a log were looked at for what becomes of shares.';

-- Work lists: rows are deleted when the work is done, in the same transaction. What they say follows from facts.
create table life_due (
    order_id uuid primary key,
    due_us bigint not null            -- its validation is over then
);
create index life_due_time on life_due (due_us);
comment on table life_due is 'Orders within their validation, each with the time at which its shares lock.';

create table life_todo (
    order_id uuid primary key,
    effective_us bigint not null      -- of the fact that changed it
);
comment on table life_todo is 'Locked orders whose facts changed and whose shares are to follow.';

-- People name orders by their references.
create index revenue_key on revenue (key) where kind = 'converted';

create table life_lock (
    order_id uuid primary key,
    act bigint not null,
    due_us bigint not null
);
comment on table life_lock is 'Orders whose validation is over, and the act that locked their shares.';

create table life_extension (
    order_id uuid primary key,        -- once
    due_us bigint not null,
    act bigint not null
);
comment on table life_extension is 'Orders whose validation was extended, which may be done once.';

-- What became due of the pools that merchants owe: an order's pool when it was locked, and its changes afterwards.
create table life_pool (
    order_id uuid not null,
    act bigint not null,
    period text not null,             -- of the act's transfers
    seat integer not null,            -- the merchant
    currency text not null,
    contract integer not null,
    slot integer not null,
    message integer not null,
    rung smallint not null,           -- of the placement
    micros bigint not null,
    primary key (order_id, act)
);
create index life_pool_period on life_pool (period, seat);
comment on table life_pool is 'What became due of an order''s pool by one act.';

create view gain_due as
select period, seat, currency, slot, message, rung, sum(micros) as micros
from life_pool group by period, seat, currency, slot, message, rung;
comment on view gain_due is
    'Per merchant, period and line: what of its gain-share pools became due in the period; all periods together are billed.';

-- The rate that a contract's revenue of a period reached, where it counts for all of the period (retroactive tiers).
create table life_rate (
    contract integer not null,
    period text not null,
    currency text not null,
    revenue_micros bigint not null,
    reached_ppm integer not null,
    act bigint not null,
    primary key (contract, period, currency)
);
comment on table life_rate is 'The tier that a contract''s revenue reached in a period, found at its close.';

-- What was payable to a seat when it was paid out: all parts locked by acts before this one.
create table life_payout (
    seat integer not null,
    currency text not null,
    act bigint not null,
    primary key (seat, currency, act)
);
comment on table life_payout is 'Payouts: what was locked by earlier acts counts as paid from this one on.';
create table life_payout_back (
    seat integer not null,
    currency text not null,
    payout_act bigint not null,
    act bigint not null,
    primary key (seat, currency, payout_act)
);
comment on table life_payout_back is 'Payouts that the bank gave back.';
create view life_paid as
select p.seat, p.currency, max(p.act) as act
from life_payout p
where not exists (select 1 from life_payout_back b
                  where b.seat = p.seat and b.currency = p.currency and b.payout_act = p.act)
group by p.seat, p.currency;
comment on view life_paid is 'The last payout of each seat and currency that stands.';

-- --- Disputes, chargebacks, adjustments ----------------------------------------------------------

-- What is contested. kind 'statement': a partner contests what it was billed; 'share': the house contests what a seat
-- is to earn of an order; 'chargeback': the bank took a payment back.
create table dispute (
    number bigint primary key,        -- of the act that opened it
    kind text not null check (kind in ('statement', 'share', 'chargeback')),
    seat integer not null,
    currency text not null,
    order_id uuid,                    -- of a share
    reference text not null,          -- statement, order or payment
    reason text not null,
    evidence text not null,
    amount_micros bigint not null,    -- of a share 0: all of it
    opened_us bigint not null,
    deadline_us bigint not null
);
create index dispute_order on dispute (order_id) where order_id is not null;
comment on table dispute is 'What is contested, since when and until when.';
create table dispute_end (
    number bigint primary key references dispute (number),
    outcome text not null check (outcome in ('accepted', 'rejected', 'won', 'lost')),
    at_us bigint not null,
    act bigint not null
);
comment on table dispute_end is 'How a dispute ended.';
create view dispute_now as
select d.number, d.kind, d.seat, d.currency, d.order_id, d.reference, d.reason, d.evidence, d.amount_micros,
       d.opened_us, d.deadline_us, coalesce(e.outcome, 'open') as state, e.at_us as ended_us
from dispute d left join dispute_end e on e.number = d.number;
comment on view dispute_now is 'Disputes and how each stands.';

create table adjustment (
    number bigint primary key,        -- of the act that proposed it
    adjusts uuid not null,            -- the transfer
    amount_micros bigint not null check (amount_micros > 0),
    to_account text not null check (to_account in ('mirror', 'adjustments', 'goodwill')),
    effective_us bigint not null,
    reason text not null,
    evidence text not null,
    author text not null
);
comment on table adjustment is 'Corrections of transfers, proposed.';
create table adjustment_end (
    number bigint primary key references adjustment (number),
    outcome text not null check (outcome in ('approved', 'refused')),
    act bigint not null
);
comment on table adjustment_end is 'Corrections that were booked, or refused.';

-- --- How the money stands ------------------------------------------------------------------------

create view gain_state as
select (x.account / 100000)::integer as seat, x.currency,
       sum(case when x.account % 10000 = 2100 then x.micros else 0 end) as accrued_micros,
       sum(case when x.account % 10000 = 2110 then x.micros else 0 end) as payable_micros,
       sum(case when x.account % 10000 = 2120 then x.micros else 0 end) as held_micros,
       sum(case when x.account % 10000 = 2190 then x.micros else 0 end) as in_transit_micros,
       sum(case when x.account % 10000 = 2190 and x.kind = 'paid' then -x.micros else 0 end) as paid_micros,
       sum(case when x.account % 10000 = 1160 then -x.micros else 0 end) as clawback_micros
from (select currency, credit as account, kind, micros from fold where state = 'posted'
      union all
      select currency, debit, kind, -micros from fold where state = 'posted') x
where x.account % 10000 in (2100, 2110, 2120, 2190, 1160)
group by x.account / 100000, x.currency;
comment on view gain_state is
    'Per beneficiary and currency: shares within validation, payable, held, told to the bank, paid, and to be taken back.';

-- Open amounts by the period that they stem from: what was settled is taken from the oldest ones first. Receivables
-- and clawbacks debits positive, shares credits positive.
create view aging as
with side as (
    select period, currency, account, sum(plus) as plus, sum(minus) as minus
    from (select period, currency, debit as account,
                 case when debit % 10000 < 2000 then micros else 0 end as plus,
                 case when debit % 10000 < 2000 then 0 else micros end as minus
          from fold where state = 'posted' and debit % 10000 in (1120, 1130, 1160, 2100, 2110, 2120)
          union all
          select period, currency, credit,
                 case when credit % 10000 < 2000 then 0 else micros end,
                 case when credit % 10000 < 2000 then micros else 0 end
          from fold where state = 'posted' and credit % 10000 in (1120, 1130, 1160, 2100, 2110, 2120)) f
    group by period, currency, account),
run as (
    select period, currency, account, plus,
           sum(plus) over (partition by currency, account order by period) as upto,
           sum(minus) over (partition by currency, account) as settled
    from side)
select (account / 100000)::integer as seat, currency, (account % 10000)::integer as code, period,
       least(plus, greatest(upto - settled, 0)) as micros
from run
where least(plus, greatest(upto - settled, 0)) > 0;
comment on view aging is
    'Per seat, currency and account: what is open of each period, the oldest settled first.';

-- Locked orders whose shares or pools do not stand where they should: something is left on 2100 that is not contested,
-- or what became due of the pool is not what it came to. Empty once turns have caught up with the facts.
create view life_unexplained as
select 'accrued' as what, x.order_id, (x.account / 100000)::integer as seat, x.currency, sum(x.micros) as micros
from (select l.order_id, t.currency, t.credit as account, t.amount_micros as micros
      from life_lock l join transfer_kept t on t.group_id = l.order_id
      where t.state = 'posted' and t.credit % 10000 = 2100
        and t.kind not in ('hold', 'charge', 'release', 'internal', 'commission')
      union all
      select l.order_id, t.currency, t.debit, -t.amount_micros
      from life_lock l join transfer_kept t on t.group_id = l.order_id
      where t.state = 'posted' and t.debit % 10000 = 2100
        and t.kind not in ('hold', 'charge', 'release', 'internal', 'commission')) x
where not exists (select 1 from dispute_now d where d.order_id = x.order_id and d.kind = 'share'
                  and d.seat = x.account / 100000 and d.state = 'open')
group by x.order_id, x.account, x.currency
having sum(x.micros) <> 0
union all
select 'due', x.order_id, x.seat, x.currency, sum(x.micros)
from (select l.order_id, (case when t.debit % 10000 = 1150 then t.debit else t.credit end / 100000)::integer as seat,
             t.currency, case when t.debit % 10000 = 1150 then t.amount_micros else -t.amount_micros end as micros
      from life_lock l join transfer_kept t on t.group_id = l.order_id
      where t.state = 'posted' and (t.debit % 10000 = 1150 or t.credit % 10000 = 1150)
        and t.kind not in ('hold', 'charge', 'release', 'internal', 'commission')
      union all
      select order_id, seat, currency, -micros from life_pool) x
group by x.order_id, x.seat, x.currency
having sum(x.micros) <> 0;
comment on view life_unexplained is
    'Locked orders whose shares or pools do not stand where they should. Empty once turns have caught up.';

grant select on life_unexplained, life_position, life_due, life_todo, life_lock, life_extension, life_pool, gain_due, life_rate,
    life_payout, life_payout_back, life_paid, dispute, dispute_end, dispute_now, adjustment, adjustment_end,
    gain_state, aging to vendue_ledger, vendue_console;
grant insert on life_position, life_due, life_todo, life_lock, life_extension, life_pool, life_rate, life_payout,
    life_payout_back, dispute, dispute_end, adjustment, adjustment_end to vendue_ledger, vendue_console;
grant update on life_position, life_due, life_todo to vendue_ledger, vendue_console;
grant delete on life_due, life_todo to vendue_ledger, vendue_console;
