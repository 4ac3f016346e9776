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
