#!/usr/bin/env bash
# The declared market from file to node: difference, apply, live at once, export, and what is refused.
source "$(dirname "$0")/flow.sh"

say "a market, applied and exported without a difference"
new_market market
expect 0 slotctl export-market
printf '%s\n' "$OUT" >"$TMP/exported.yaml"
expect 0 slotctl diff "$TMP/exported.yaml"
said "no difference to version 1"
expect 0 slotctl apply sample/market.yaml
said "no difference to version 1"

say "a difference in words, an apply that changes nothing, one that does"
sed 's/floor: 0.120/floor: 0.140/' sample/market.yaml >"$TMP/dearer.yaml"
expect 1 slotctl diff "$TMP/dearer.yaml"
[ "$OUT" = "~ slot monthly_bill.footer: floor 0.12 -> 0.14" ] || fail "it said: $OUT"
expect 0 slotctl apply "$TMP/dearer.yaml" --dry-run
said "nothing was applied"
expect 0 slotctl export-market
said "floor: 0.12"
expect 0 slotctl apply "$TMP/dearer.yaml" --note "a little dearer"
said "version 2 is live after"
expect 0 slotctl export-market 1
[ "$OUT" = "$(cat "$TMP/exported.yaml")" ] || fail "version 1 is not what it was"
expect 1 slotctl export-market 99
expect 2 slotctl export-market none

say "what must not change is refused, and nothing is applied"
sed 's/currency: EUR/currency: USD/' sample/market.yaml >"$TMP/dollars.yaml"
expect 2 slotctl apply "$TMP/dollars.yaml"
said "(refused)"
expect 2 slotctl apply tests/market/forty_mistakes.yaml
said "40 errors; nothing was applied"
expect 2 slotctl apply /nowhere/market.yaml
expect 0 slotctl diff "$TMP/dearer.yaml"


say "a floor is live in under a second over 10,000 standing bids"
expect 0 slotctl sample --contacts 1 --bids 10000 --seed 3 --out "$TMP/many"
expect 0 slotctl play --bids "$TMP/many/bids.jsonl" --quiet
wait_for 60 booked
sleep 2  # until a catalog holds them all
for file in sample/market.yaml "$TMP/dearer.yaml"; do
    expect 0 slotctl apply "$file" --json
    ms=$(sed -n 's/.*"live_after_ms":\([0-9]*\).*/\1/p' <<<"$OUT")
    say "live after $ms ms"
    [ "$ms" -lt 1000 ] || fail "it took $ms ms"
done
grep -q 'bids=10000' "$M/log/ledgerd.log" || fail "no catalog held the 10,000 bids"

say "two applies at the same time: both end, one version each at most"
slotctl apply sample/market.yaml >"$TMP/one" 2>&1 &
one=$!
sed 's/floor: 0.120/floor: 0.130/' sample/market.yaml >"$TMP/other.yaml"
code=0
slotctl apply "$TMP/other.yaml" >"$TMP/two" 2>&1 || code=$?
wait $one || [ "$(grep -c 'somebody else' "$TMP/one")" = 1 ] || fail "$(cat "$TMP/one")"
[ "$code" = 0 ] || grep -q 'somebody else' "$TMP/two" || fail "$(cat "$TMP/two")"

say "without a database nothing is applied, and it says so"
expect 0 slotctl down
expect 3 slotctl apply sample/market.yaml
