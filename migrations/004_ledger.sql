-- The ledger: transfers between accounts. Each row has one debit, one credit, one positive amount and one
-- currency, so each row balances by itself. Rows are only ever added; roles have no right to change one.
set local search_path = vendue;

-- account = (seat * 10 + rung) * 10000 + code; rung 1 to 8, 0 where the account has none.
create table account (
    currency text not null,
    account bigint not null,
    code integer not null,
    rung smallint not null,
    seat integer not null,            -- stable id; 0: the house
    name text not null,               -- 'Assets:Receivable:Unbilled:acme'
    normal text not null check (normal in ('debit', 'credit')),
    flag text not null check (flag in ('', 'elimination')),
    primary key (currency, account),
    unique (currency, name),
    check (account = (seat::bigint * 10 + rung) * 10000 + code)
);

-- state 'pending' holds; its one terminal names it in pending_id and is 'posted' (charged) or 'voided'
-- (released). A row without pending_id that is 'posted' stands by itself. Balances count 'posted' rows;
-- holds count 'pending' rows without a terminal.
create table transfer (
    transfer_id uuid primary key,     -- derived from what it books, so that nothing is booked twice
    group_id uuid not null,           -- transfers that belong together: a placement, a conversion, a refund
    leg smallint not null,
    kind text not null,               -- hold charge release internal share refund; deposit bill ...
    state text not null check (state in ('pending', 'posted', 'voided')),
    pending_id uuid unique,           -- at most one terminal
    currency text not null,
    debit bigint not null,
    credit bigint not null,
    amount_micros bigint not null check (amount_micros > 0),
    effective_us bigint not null,     -- when it happened
    posted_us bigint not null,        -- when it was decided
    period text not null,
    late boolean not null,            -- happened in a period already fenced; booked in the next open one
    log integer not null,             -- of the fact that caused it; 0: finance
    batch bigint not null,
    idx integer not null,
    seat integer,                     -- whose statement it stands on
    contract integer,
    slot integer,
    message integer,
    placement_id uuid,
    objectives integer,               -- mask
    rung smallint,                    -- 0 to 7
    reason text,
    reference text,                   -- of the order, refund, deposit
    check (debit <> credit),
    check (state <> 'voided' or pending_id is not null),
    check (state <> 'pending' or pending_id is null)
);
create index transfer_period on transfer (period, seat);

-- Both sides of every posted transfer, debits positive.
create view entry as
select t.currency, t.debit as account, t.amount_micros as micros, t.transfer_id, t.group_id, t.kind,
       t.period, t.effective_us, t.seat
from transfer t where t.state = 'posted'
union all
select t.currency, t.credit, -t.amount_micros, t.transfer_id, t.group_id, t.kind, t.period,
       t.effective_us, t.seat
from transfer t where t.state = 'posted';

-- What is held and not yet charged or released.
create view hold as
select p.*
from transfer p
where p.state = 'pending' and not exists (select 1 from transfer t where t.pending_id = p.transfer_id);

grant select on account, transfer, entry, hold to vendue_ledger, vendue_console;
grant insert on account, transfer to vendue_ledger, vendue_console;
