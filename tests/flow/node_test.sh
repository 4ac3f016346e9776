#!/usr/bin/env bash
# The partner protocol in another language: Node's own TLS and @msgpack/msgpack play a seat, a live bidder and a touchpoint
# against the running programs, and a revoked certificate is told so.
. "$(dirname "$0")/flow.sh"
CLIENT=tests/flow/node_client
command -v node >/dev/null && command -v npm >/dev/null || fail "node and npm are missing: ./dev setup"

cp -r "$CLIENT" "$TMP/client"
(cd "$TMP/client" && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || fail "npm ci in $CLIENT"
new_market node
slotctl cert issue seat reading_room >/dev/null
slotctl cert issue touchpoint bill_run >/dev/null
PORT=$(sed -n 's/.*"port": \([0-9]*\).*/\1/p' "$M/run/auctiond.status")

play() {
    node "$TMP/client/play.js" --port "$PORT" --ca "$M/tls/ca.crt" \
        --seat-cert "$M/tls/seat.reading_room.crt" --seat-key "$M/tls/seat.reading_room.key" \
        --touchpoint-cert "$M/tls/touchpoint.bill_run.crt" \
        --touchpoint-key "$M/tls/touchpoint.bill_run.key" "$@"
}

# A new certificate speaks within a second or two.
wait_for 10 play --run first
expect 0 play --run second
said 'node: ok placement='
say "${OUT##*$'\n'}"

# The same seat as a live bidder: asked during the contact, told what became of its bids.
sed 's/^  reading_room: {name: Reading Room Magazines, kind: partner,/& live: true, shows: [region],/' sample/market.yaml >"$TMP/live.yaml"
expect 0 slotctl apply "$TMP/live.yaml"
TRY=0
bid_live() {
    TRY=$((TRY + 1))
    node "$TMP/client/bidder.js" --port "$PORT" --ca "$M/tls/ca.crt" --run "live-$TRY" \
        --seat-cert "$M/tls/seat.reading_room.crt" --seat-key "$M/tls/seat.reading_room.key" \
        --touchpoint-cert "$M/tls/touchpoint.bill_run.crt" --touchpoint-key "$M/tls/touchpoint.bill_run.key" "$@"
}
wait_for 20 bid_live  # until the catalog is live
expect 0 bid_live
said 'node: ok live placement='

# A floor above all that was bid is warned of; the dearest was a live bid.
expect 0 bid_live --price 2700000 --run dear
wait_for 30 booked
sed 's/^  vip_paper: .*/&\n  too_dear: {slot: monthly_bill.insert, seat: reading_room, price: 2.71}/' "$TMP/live.yaml" >"$TMP/dear.yaml"
expect 1 slotctl diff "$TMP/dear.yaml"
said 'floor 2.71 is above every bid ever seen here; the highest was 2.70'

# The month is closed: the seat reads its statement in every form, whole, and what comes after is taken as before.
period=$(date -u +%Y-%m)
wait_for 30 booked
expect 0 slotctl close "$period" --early
wait_for 10 test -e "$M/published/statements/reading_room/$period.txt"
expect 0 play --run third --period "$period"
said "statements: $period"
clean

# A revoked one is told so, and speaks no more.
slotctl cert revoke seat.reading_room >/dev/null
revoked() { (play --run third 2>&1 || true) | grep -q 'revoked (556)'; }
wait_for 10 revoked
