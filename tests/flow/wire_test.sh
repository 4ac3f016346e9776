#!/usr/bin/env bash
# Bad input over the wire, byte for byte, from a client that nobody here wrote: each refused by name, nothing written,
# neighbours answered. The last word has verify.
. "$(dirname "$0")/flow.sh"
CLIENT=tests/flow/node_client
command -v node >/dev/null && command -v npm >/dev/null || fail "node and npm are missing: ./dev setup"

cp -r "$CLIENT" "$TMP/client"
(cd "$TMP/client" && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || fail "npm ci in $CLIENT"
new_market wire
slotctl play --bids sample/bids.jsonl >/dev/null
slotctl cert issue touchpoint bill_run >/dev/null
slotctl cert issue touchpoint crm >/dev/null
speaks() { slotctl contact <(head -n 1 sample/contacts.jsonl) --as crm; }
wait_for 10 speaks
auctiond=$(cut -d' ' -f1 "$M/run/auctiond.process")

SEED=${VENDUE_SEED:-$RANDOM$RANDOM}
expect 0 node "$TMP/client/refusals.js" --dir "$M" --port "$(status_of port)" --seed "$SEED"
said 'node: ok'
printf '%s\n' "$OUT" | sed 's/^node: /flow: /'
[ "$auctiond" = "$(cut -d' ' -f1 "$M/run/auctiond.process")" ] && kill -0 "$auctiond" || fail "auctiond did not live through it"
clean
