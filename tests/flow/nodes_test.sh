#!/usr/bin/env bash
# Two nodes with one database: each sells the bids that the other took, explains what it decided itself, and neither
# keeps the other from publishing.
source "$(dirname "$0")/flow.sh"
new_market first
FIRST=$M
SECOND=$TMP/second
MARKETS=("$SECOND" "$FIRST")  # the first holds the database: it goes down last
"$SLOTCTL" init "$SECOND" --port 0 --postgres "$(cat "$FIRST/run/postgres.owner")" >/dev/null
printf 'journal:\n  log: 2\n' >>"$SECOND/vendue.yaml"
cp "$FIRST/run/customer.secret" "$SECOND/run/"

say "bids that the first took are sold by the second"
expect 0 slotctl play --bids sample/bids.jsonl --quiet
M=$SECOND
expect 0 slotctl up
sed 's/"id": "\([a-z]*-[0-9]*\)"/"id": "two-\1"/' sample/contacts.jsonl >"$TMP/two"
grep -q two- "$TMP/two" || fail "no contact was renamed"
expect 0 slotctl play --contacts "$TMP/two" --quiet
M=$FIRST
expect 0 slotctl play --contacts sample/contacts.jsonl --quiet
clean
M=$SECOND
clean
sold=$(slotctl report proof --json | sed -n 's/.*"placements": \([0-9]*\).*/\1/p')
[ "${sold:-0}" -gt 100 ] || fail "only ${sold:-0} placements"

say "explained by the node that decided, priced again by each"
exact() { [ "$(slotctl explain "$1" --json | sed -n 's/.*"replay": "\([a-z]*\)".*/\1/p')" = exact ] || { slotctl explain "$1" | head -8; fail "$1 is not told as it was decided"; }; }
for number in 1 2 3; do exact "two-bill-000$number"; done
expect 0 slotctl reprice --all
M=$FIRST
exact bill-0001
expect 0 slotctl reprice --all

say "a bid put at the first wins at the second, without anything else to publish"
# A seat without a budget: where there is one, the second node was granted nothing of it yet.
expect 0 slotctl bid put fresh logistics.note 5.00 --slot support_call.resolution --as logistics
M=$SECOND
number=0
fresh() {
    number=$((number + 1))
    printf '{"id": "fresh-%d", "container": "support_call", "user": {"identity": "anonymous"}}\n' "$number" >"$TMP/fresh"
    slotctl contact "$TMP/fresh" --as crm --json | grep -q 'logistics.note'
}
wait_for 10 fresh
wait_for 10 booked
expect 0 slotctl reprice "fresh-$number"
! grep -l publish.failing "$FIRST"/log/ledgerd.log "$SECOND"/log/ledgerd.log || fail "one kept the other from publishing"
clean
