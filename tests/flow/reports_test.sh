#!/usr/bin/env bash
# Reports of finance on a real market: every one in every format, what is behind each row of them, wrong questions
# and their mends, and the role that reads the open schema and nothing else.
source "$(dirname "$0")/flow.sh"

period=$(date -u +%Y-%m)
new_market reported
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl --quiet >/dev/null
wait_for 30 booked

say "every report, in every format, and what is behind its rows"
for report in revenue internal accruals aging clawbacks gain-share trial-balance economics; do
    for span in "" "--period $period" "--from $period-01"; do
        # shellcheck disable=SC2086
        expect 0 slotctl report "$report" $span
        for format in csv json; do
            # shellcheck disable=SC2086
            expect 0 slotctl report "$report" $span --format "$format"
        done
        if [ "$report" != clawbacks ]; then
            # shellcheck disable=SC2086
            expect 0 slotctl report "$report" $span --rows total
            said "total"
        fi
    done
done
expect 0 slotctl report unexplained
said "placement not posted"
expect 0 slotctl report unexplained --format json
expect 0 slotctl report clawbacks
said "Nothing that was paid out was refunded"
expect 0 slotctl report revenue --period 2020-01
said "Nothing was earned or spent in January 2020."
expect 0 slotctl report revenue --period 2020-01 --format json
[ "$OUT" = "[]" ] || fail "an empty report as JSON: $OUT"

say "the rows of a report add up to those of any other, and the rows behind a row to it"
sum() { awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { sum += $at } END { print sum + 0 }'; }
net=$(slotctl report revenue --by rung --format csv | sum net_micros)
for by in objective cell seat contract slot message container period day seat,rung,slot; do
    [ "$(slotctl report revenue --by "$by" --format csv | sum net_micros)" = "$net" ] || fail "net by $by is not $net"
done
slotctl report revenue --by seat,rung --format csv >"$TMP/rows"
while IFS=, read -r seat rung _ _ _ _ _ _ _ figure; do
    [ "$seat" = seat ] && continue
    behind=$(slotctl report revenue --by seat,rung --rows "$seat,$rung" --format csv | sum net_micros)
    [ "$behind" = "$figure" ] || fail "behind $seat,$rung is $behind, not $figure"
done <"$TMP/rows"
[ "$(slotctl report economics --format csv | sum revenue_micros)" = "$net" ] || fail "economics earn something else"

say "the investment case needs no market"
expect 0 "$SLOTCTL" --dir /nowhere report investment --investment 1500000 \
    --current contacts=200000,cost=12.00,objectives=2.4,revenue=800000 --target cost=12.50,objectives=6.8,revenue=18400000
said "17500000.00"
said "1067"
expect 0 slotctl report investment --current "$period" --target "$period" --investment 100
said "never paid back"

say "wrong questions are told the mend"
expect 2 slotctl report revenue --by rungs
said "use one or more of rung, objective"
expect 2 slotctl report revenue --rows top
said "its rows are 'geographic'"
expect 2 slotctl report revenue --from 2026-11-01T10:00:00Z
said "whole days"
expect 2 slotctl report aging --by rung
expect 2 slotctl report ladder --by rung
expect 2 slotctl report ladder --rows total
expect 2 slotctl report proof --by rung
expect 2 slotctl report unexplained --period "$period"
expect 2 slotctl report unexplained --rows fate
expect 2 slotctl report investment --current "$period"
expect 2 slotctl report revenue --investment 5
expect 2 slotctl report revenue --format xml

say "the reader reads the open schema and nothing else"
reader() { psql -X -q -A -t "$(cat "$M/run/postgres.reader")" -c "$1"; }
expect 0 reader "select count(*) > 0 from vendue_open.placement"
[ "$OUT" = t ] || fail "the reader sees no placements: $OUT"
[ "$(reader "select sum(case when b.code between 4000 and 5999 then -d.micros else 0 end
                       + case when c.code between 4000 and 5999 then d.micros else 0 end)
             from vendue_open.daily d
             join vendue_open.account b on b.currency = d.currency and b.account_id = d.debit_id
             join vendue_open.account c on c.currency = d.currency and c.account_id = d.credit_id")" = "$net" ] ||
    fail "the open schema earns something else than the report"
expect 1 reader "select * from vendue.contact"
said "permission denied"
expect 1 reader "delete from vendue_open.transfer"
expect 1 reader "create table vendue_open.mine (x int)"
expect 1 reader "set role vendue_owner"

say "a market of before there was a reader gets one when it is started"
slotctl down >/dev/null
sed -i '/vendue_reader/d' "$M/postgres/pg_ident.conf"
slotctl up >/dev/null
expect 0 reader "select 1"
clean
