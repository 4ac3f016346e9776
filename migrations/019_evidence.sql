-- Rows that an act wrote are found by the act: they stand in its body, and slotctl verify compares them.
set local search_path = vendue;

create index life_lock_act on life_lock (act);
create index life_pool_act on life_pool (act);
create index hold_expiry_act on hold_expiry (act);
create index payout_act on payout (act);
create index payout_event_act on payout_event (act);
create index bank_entry_act on bank_entry (act);

-- Disputes, corrections, extensions, payouts and rates reached are people's and the close's: ledgerd reads them.
revoke insert on dispute, dispute_end, adjustment, adjustment_end, life_extension, life_payout, life_payout_back, life_rate
    from vendue_ledger;
