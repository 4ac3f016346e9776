#!/usr/bin/env bash
# Independence: what the ledger booked of the sample, and of a generated month upon it, is computed again by a program that
# was written from the documents alone, and compared with the export, account by account, to the millionth.
source "$(dirname "$0")/flow.sh"

period=$(date -u +%Y-%m)
recompute() {
    slotctl export "$period" --format csv --output "$TMP/export.csv" || return 3
    psql -qAtX -f tests/flow/recompute.sql "$(cat "$M/run/postgres.owner")" >"$TMP/facts.json" || return 3
    python3 tests/flow/recompute.py "$TMP/facts.json" "$TMP/export.csv"
}

say "the sample"
new_market books
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl --quiet >/dev/null
clean
wait_for 20 recompute
expect 0 recompute
said "orders=8"
printf '%s\n' "$OUT"

say "a generated month, of this seed: ${SEED:=$RANDOM}"
slotctl sample --contacts 600 --seed "$SEED" --out "$TMP/load" >/dev/null
slotctl play --contacts "$TMP/load/contacts.jsonl" --events "$TMP/load/events.jsonl" --quiet >/dev/null
clean
wait_for 30 recompute
expect 0 recompute
printf '%s\n' "$OUT"

say "one millionth is seen"
awk -F, -v OFS=, '$5 == "share" && !done { $8++; done = 1 } { print }' "$TMP/export.csv" >"$TMP/other.csv"
expect 1 python3 tests/flow/recompute.py "$TMP/facts.json" "$TMP/other.csv"
said "different=2"
