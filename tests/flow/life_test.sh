#!/usr/bin/env bash
# The deeds of finance that docs/life.md tells, as verbs on a real market: locks, disputes, chargebacks, adjustments
# with a second person; refusals and exit codes; and afterwards the books are proven.
source "$(dirname "$0")/flow.sh"

period=$(date -u +%Y-%m)
new_market life
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl --quiet >/dev/null

say "shares lock when their validation is over"
expect 0 slotctl lock run
expect 0 slotctl lock list
expect 2 slotctl lock
expect 2 slotctl lock extend nothing --days 5 --reason x
said "there is no order 'nothing'"
expect 2 slotctl lock extend nothing --days 0 --reason x
expect 2 slotctl lock extend nothing --days 5
said "needs --reason"

say "adjustments"
slotctl export "$period" --format csv --output "$TMP/all.csv"
# First column: the transfer's id.
id=$(awk -F, '$5 == "charge" {print $1; exit}' "$TMP/all.csv")
[ -n "$id" ] || fail "no charge in the export"
expect 2 slotctl adjust propose "$id" --amount 0.01 --evidence t1
said "a reason is needed"
expect 2 slotctl adjust propose "$id" --amount 0.01 --reason mood --evidence t1
said "not_rendered"
expect 1 slotctl adjust propose "$id" --amount 100000 --reason wrong_price --evidence t1
said "what is left of this transfer"
expect 0 slotctl adjust propose "$id" --amount 0.01 --reason wrong_price --evidence t1 --by ada
said "is booked in $period"
expect 0 slotctl adjust list
said "approved"
expect 2 slotctl adjust approve 999999
expect 2 slotctl adjust propose 12 --reason wrong_price --evidence t1

say "chargebacks"
expect 0 slotctl deposit grill_house 120.00 --reference B1 --by ada
expect 1 slotctl chargeback open grill_house 121.00 --reference CB1 --evidence letter
said "has paid in 120.00 EUR"
expect 0 slotctl chargeback open grill_house 120.00 --fee 15.00 --reference CB1 --evidence letter
said "is open"
expect 0 slotctl chargeback open grill_house 120.00 --fee 15.00 --reference CB1 --evidence letter
said "booked before"
expect 0 slotctl dispute list
said "chargeback"
number=$(slotctl --json dispute list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["dispute"])')
expect 1 slotctl dispute accept "$number" --reason x
said "slotctl chargeback won or lost"
expect 0 slotctl chargeback lost "$number"
said "billing: prepaid"
expect 1 slotctl chargeback won "$number"
said "was lost before"

say "disputes"
expect 1 slotctl dispute open statement grill_house "$period" 1.00 --reason not_rendered --evidence t2
said "is not closed"
expect 2 slotctl dispute open statement grill_house "$period" 1.00 --reason because --evidence t2
expect 2 slotctl dispute open share grill_house nothing --reason returned --evidence t2
expect 2 slotctl dispute reject 999999 --reason x
expect 2 slotctl dispute open statement grill_house
expect 2 slotctl dispute

say "a share is contested, and a bill after the close"
owner=$(cat "$M/run/postgres.owner")
read -r seat reference <<<"$(psql -qAtX -F ' ' "$owner" -c "select s.code, r.key from vendue.revenue r
    join vendue.transfer t on t.group_id = r.order_id join vendue.seat s on s.id = t.credit / 100000
    where t.kind = 'share' and t.credit % 10000 = 2100 and r.kind = 'converted' order by 1, 2 limit 1")"
[ -n "$reference" ] || fail "no share of a partner"
expect 0 slotctl dispute open share "$seat" "$reference" --reason returned --evidence t3
expect 1 slotctl dispute open share "$seat" "$reference" --reason returned --evidence t3
said "contested already"
expect 0 slotctl close "$period" --early
expect 1 slotctl dispute open statement grill_house "$period" 1000.00 --reason not_rendered --evidence t4
said "is more than the statement"
expect 0 slotctl dispute open statement grill_house "$period" 0.01 --reason not_rendered --evidence t4
said "0.01 EUR moved"
number=$(slotctl --json dispute list |
    python3 -c 'import json,sys; print([d["dispute"] for d in json.load(sys.stdin) if d["kind"] == "statement"][0])')
expect 0 slotctl dispute accept "$number" --reason "it was not shown"
expect 1 slotctl dispute reject "$number" --reason "it was not shown"
said "was accepted before"

say "the books are proven"
clean
