-- The bank: exchange rates, payouts and what statements of the bank said of them. Rows are only added.
set local search_path = vendue;

create table rate (
    from_currency text not null,
    to_currency text not null,
    at_us bigint not null,            -- in force from then on
    num bigint not null check (num > 0),
    den bigint not null check (den > 0),
    spread_ppm integer not null check (spread_ppm >= 0 and spread_ppm < 1000000),
    source text not null check (source <> ''),
    act bigint not null,
    primary key (from_currency, to_currency, at_us),
    check (from_currency <> to_currency)
);
comment on table rate is 'An exchange rate from a time on: one unit of from_currency is num / den units of to_currency.';
comment on column rate.spread_ppm is 'What the host keeps of what is exchanged, in millionths.';

-- One run a period: the file that the bank was sent, byte for byte.
create table payout_run (
    period text primary key,
    act bigint not null,
    at_us bigint not null,
    payouts integer not null,
    body text not null,               -- pain.001; '' when nothing was to be paid
    digest bytea not null             -- of the body
);
comment on table payout_run is 'A payout run of a closed period, with the payment file as it was written.';

create table payout (
    payout_id uuid primary key,       -- also of its transfer to 2190
    period text not null,
    seat integer not null,
    currency text not null,           -- that is paid
    amount_micros bigint not null check (amount_micros > 0),
    from_currency text not null,      -- that it was earned in
    spent_micros bigint not null check (spent_micros > 0),
    spread_micros bigint not null check (spread_micros >= 0),  -- of spent, kept when it was exchanged
    end_to_end text not null unique,  -- the id in base32
    name text not null,               -- whom the bank was told to pay, and where
    iban text not null,
    rate text not null,               -- '' not exchanged
    act bigint not null,
    unique (period, seat, from_currency)
);
comment on table payout is 'A payment to a seat, told to the bank.';

-- What became of it. 'returned': it had been paid, and came back.
create table payout_event (
    payout_id uuid not null references payout (payout_id),
    state text not null check (state in ('paid', 'rejected', 'returned')),
    act bigint not null,
    at_us bigint not null,
    detail text not null,
    primary key (payout_id, state)
);
comment on table payout_event is 'What the bank said of a payout: paid, rejected or returned.';

create view payout_now as
select p.*, coalesce((select max(e.state) from payout_event e where e.payout_id = p.payout_id), 'sent') as state
from payout p;
comment on view payout_now is 'A payout and how it stands: sent, paid, rejected or returned.';

-- Entries of bank statements that were booked, so that none is booked twice.
create table bank_entry (
    entry_id uuid primary key,        -- derived from account, the bank's reference and what the entry says
    what text not null check (what in ('paid', 'returned', 'receipt')),
    seat integer not null,
    currency text not null,
    amount_micros bigint not null check (amount_micros > 0),
    payout_id uuid,
    reference text not null,          -- of a receipt the bill's
    entry text not null,              -- the bank's own reference
    at_us bigint not null,            -- booked by the bank
    act bigint not null
);
create index bank_entry_reference on bank_entry (reference);
comment on table bank_entry is 'An entry of a bank statement that was booked.';

-- What a seat was billed for a period, and what of it was paid.
create view bill_open as
select t.period, t.seat, t.currency, t.period || ' ' || left(s.code, 30) as reference, sum(t.total_micros) as billed_micros,
       coalesce((select sum(e.amount_micros) from bank_entry e where e.what = 'receipt' and e.seat = t.seat
                 and e.currency = t.currency and e.reference = t.period || ' ' || left(s.code, 30)), 0) as received_micros
from statement_total t
join seat s on s.id = t.seat and s.kind = 'partner'
where t.section in ('charged', 'due', 'clawback')
    and exists (select 1 from period_event e where e.period = t.period and e.step = 6)
group by t.period, t.seat, t.currency, s.code;
comment on view bill_open is 'What a seat was billed for a period, and what the bank reported as received for it.';

grant select on rate, payout_run, payout, payout_event, payout_now, bank_entry, bill_open
    to vendue_ledger, vendue_console;
grant insert on rate, payout_run, payout, payout_event, bank_entry to vendue_console;
