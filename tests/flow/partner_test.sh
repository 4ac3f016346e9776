#!/usr/bin/env bash
# Partners on credit, prepaid, with shares of revenue, prices per response, gain share owed and earned, work out their
# statements from their own notices and what the protocol hands them; and are told nothing of one another.
source "$(dirname "$0")/flow.sh"
CLIENT=tests/flow/node_client
command -v node >/dev/null && command -v npm >/dev/null || fail "node and npm are missing: ./dev setup"

cp -r "$CLIENT" "$TMP/client"
(cd "$TMP/client" && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || fail "npm ci in $CLIENT"
period=$(date -u +%Y-%m)
M=$TMP/partners
MARKETS+=("$M")
"$SLOTCTL" init "$M" --port 0 >/dev/null
slotctl up >/dev/null
slotctl apply tests/flow/partner.yaml >/dev/null
slotctl deposit mate 500.00 --reference B-1 >/dev/null
slotctl cert issue touchpoint shop >/dev/null
for seat in house front tea mate chai cola; do slotctl cert issue seat "$seat" >/dev/null; done

expect 0 node "$TMP/client/partner.js" play "$TMP/kept.json" "$period" --dir "$M" --port "$(status_of port)" --seed 1
said "node: kept"
say "${OUT#node: }"
clean
expect 0 slotctl close "$period" --early
wait_for 20 test -e "$M/published/statements/.$period"
expect 0 node "$TMP/client/partner.js" check "$TMP/kept.json" "$period" --dir "$M" --port "$(status_of port)"
said "node: ok"
say "${OUT#node: }"
expect 0 slotctl verify
said "unexplained_micros=0"
