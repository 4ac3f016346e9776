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
