-- Statements: what each section is made of, and the documents that are not text.
set local search_path = vendue;

-- Documents of closed statements beside those of statement_document: 'pdf', 'invoice.xml' (what a partner owes),
-- 'selfbill.xml' (what a beneficiary is owed, invoiced by the host in its name). Rows are only added.
create table statement_file (
    period text not null,
    seat integer not null,
    format text not null check (format in ('pdf', 'invoice.xml', 'selfbill.xml')),
    body bytea not null,
    digest bytea not null,            -- SHA-256 of the body
    primary key (period, seat, format)
);
comment on table statement_file is 'A document of a closed statement that is not plain text: its bytes and their SHA-256. Insert-only.';

-- Both sides of every posted sum of transfers, seen from the account: `sign` 1 debit, -1 credit; `other`: code of the
-- account on the other side. code and seat are those of the account.
create view statement_side as
select f.period, (s.own / 100000)::integer as seat, (s.own % 10000)::integer as code,
       (s.other % 10000)::integer as other, s.sign, f.currency, f.kind, f.contract, f.slot, f.message,
       case s.own % 10000 when 1150 then f.won_rung else f.rung end as rung, f.count, f.micros
from (
    select period, currency, debit, credit, kind, contract, slot, message, rung, won_rung, sum(count) as count,
           sum(micros) as micros
    from fold where state = 'posted'
    group by period, currency, debit, credit, kind, contract, slot, message, rung, won_rung) f
cross join lateral (values (f.debit, f.credit, 1), (f.credit, f.debit, -1)) as s (own, other, sign)
where s.own >= 100000;
comment on view statement_side is 'A sum of posted transfers seen from one of its two accounts, if that is a seat''s.';

-- What the sections of statements count, in micros, in the sense in which the section is printed:
--   charged      1110, all but bills
--   prepaid      2000, all but deposits
--   bought       5100; sold 4100
--   owed         1150, all but bills
--   corrections  1120 and 1130 against other accounts than bank, 1110, 1120, 1130, 1150, 1160 and bad debt
--   earned       2100 against other accounts than 2110, 2120, 1160; and 4210
--   payable      2110, 2120 and 1160 against other accounts than one another, 2190, 3900, 4300 (a spread) and 1120
--   clawback     1160, what was clawed back; of contracts that bill it
-- and the counts that transfers themselves give. slot 0, message 0, rung -1: none. `message` is that of the placement
-- behind it, whosever it is: a statement names the seat's own messages only.
create view statement_sum as
select x.period, x.seat, x.currency, x.section, x.slot, x.message, x.rung, x.adjusted, x.contract,
       sum(x.delivered)::bigint as delivered, sum(x.converted)::bigint as converted,
       sum(x.refunded)::bigint as refunded, sum(x.micros)::bigint as micros
from (
    select s.period, s.seat, s.currency, s.slot, s.message, s.rung, s.kind = 'adjustment' as adjusted, s.contract,
           case when s.code = 1110 and s.kind <> 'bill' then 'charged'
                when s.code = 2000 and s.kind <> 'deposit' then 'prepaid'
                when s.code = 5100 then 'bought'
                when s.code = 4100 then 'sold'
                when s.code = 1150 and s.kind <> 'bill' then 'owed'
                when s.code in (1120, 1130) and s.other not in (1000, 1110, 1120, 1130, 1150, 1160, 5200)
                    then 'corrections'
                when s.code = 4210 or s.code = 2100 and s.other not in (2110, 2120, 1160) then 'earned'
                when s.code in (2110, 2120, 1160) and s.other not in (2110, 2120, 1160, 2190, 3900, 4300, 1120)
                    then 'payable'
           end as section,
           case when s.code = 4100 and s.sign = -1 and s.kind in ('charge', 'internal') then s.count else 0 end
               as delivered,
           case when s.code in (2100, 4210) and s.sign = -1 and s.kind = 'share' then s.count else 0 end as converted,
           case when s.code in (2100, 4210) and s.kind = 'refund' then s.count else 0 end as refunded,
           case when s.code in (4100, 4210, 2100, 2110, 2120, 1160) then -s.sign else s.sign end * s.micros as micros
    from statement_side s
    union all
    select s.period, s.seat, s.currency, s.slot, s.message, s.rung, false, s.contract, 'clawback', 0, 0, 0,
           s.sign * s.micros
    from statement_side s
    where s.code = 1160 and s.kind = 'clawback') x
where x.section is not null
group by x.period, x.seat, x.currency, x.section, x.slot, x.message, x.rung, x.adjusted, x.contract;
comment on view statement_sum is 'What transfers come to on one line of one section of a seat''s statement of a period, by contract.';

-- The same, transfer by transfer: what a line opens to. Whoever asks names the period, so that only its transfers are
-- read.
create view statement_transfer as
select x.period, x.seat, x.currency, x.section, x.slot, x.message, x.rung, x.adjusted, x.contract, x.transfer_id,
       x.placement_id, x.own, x.kind, x.effective_us, x.late, x.reference, x.reason, x.micros
from (
    select t.period, (s.account / 100000)::integer as seat, t.currency, coalesce(t.slot, 0) as slot,
           coalesce(t.message, 0) as message,
           coalesce(case s.account % 10000 when 1150 then o.rung else t.rung end, (-1)::smallint) as rung,
           t.kind = 'adjustment' as adjusted, coalesce(t.contract, 0) as contract, t.transfer_id, t.placement_id,
           coalesce(o.seat = s.account / 100000, false) as own, t.kind, t.effective_us, t.late, t.reference, t.reason,
           case when s.account % 10000 = 1110 and t.kind <> 'bill' then 'charged'
                when s.account % 10000 = 2000 and t.kind <> 'deposit' then 'prepaid'
                when s.account % 10000 = 5100 then 'bought'
                when s.account % 10000 = 4100 then 'sold'
                when s.account % 10000 = 1150 and t.kind <> 'bill' then 'owed'
                when s.account % 10000 in (1120, 1130)
                     and s.other % 10000 not in (1000, 1110, 1120, 1130, 1150, 1160, 5200) then 'corrections'
                when s.account % 10000 = 4210
                     or s.account % 10000 = 2100 and s.other % 10000 not in (2110, 2120, 1160) then 'earned'
                when s.account % 10000 in (2110, 2120, 1160)
                     and s.other % 10000 not in (2110, 2120, 1160, 2190, 3900, 4300, 1120) then 'payable'
           end as section,
           case when s.account % 10000 in (4100, 4210, 2100, 2110, 2120, 1160) then -s.sign else s.sign end
               * t.amount_micros as micros
    from transfer_kept t
    cross join lateral (values (t.debit, t.credit, 1), (t.credit, t.debit, -1)) as s (account, other, sign)
    left join outcome o on o.placement_id = t.placement_id
    where t.state = 'posted' and s.account >= 100000
    union all
    select t.period, (s.account / 100000)::integer, t.currency, coalesce(t.slot, 0),
           coalesce(t.message, 0),
           coalesce(t.rung, (-1)::smallint), false, coalesce(t.contract, 0), t.transfer_id, t.placement_id,
           coalesce(o.seat = s.account / 100000, false), t.kind, t.effective_us, t.late, t.reference, t.reason,
           'clawback', s.sign * t.amount_micros
    from transfer_kept t
    cross join lateral (values (t.debit, 1), (t.credit, -1)) as s (account, sign)
    left join outcome o on o.placement_id = t.placement_id
    where t.state = 'posted' and t.kind = 'clawback' and s.account % 10000 = 1160 and s.account >= 100000
    union all
    select l.period, l.seat, l.currency, l.slot, l.message, l.rung, false, l.contract, l.order_id, r.placement_id,
           coalesce(r.seat = l.seat, false), 'due', l.at_us, false, r.key, null, 'due', l.micros
    from (select p.*, a.at_us from life_pool p join act a on a.number = p.act) l
    left join lateral (
        select v.placement_id, v.seat, v.key from revenue v
        where v.order_id = l.order_id and v.kind = 'converted' and v.state = 'posted'
        order by v.log, v.batch, v.idx limit 1) r on true) x
where x.section is not null;
comment on view statement_transfer is 'One transfer on one line of one section of a seat''s statement; own: of the seat''s own placement.';

grant select on statement_file, statement_side, statement_sum, statement_transfer to vendue_ledger, vendue_console;
grant insert on statement_file to vendue_console;
