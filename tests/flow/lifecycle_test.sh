#!/usr/bin/env bash
# A market's life: made once and never overwritten, two of them side by side, PostgreSQL stopped while it sells.
source "$(dirname "$0")/flow.sh"

say "made once"
new_market first
expect 2 "$SLOTCTL" init "$M"
said "is a market already"
mkdir "$TMP/full"; touch "$TMP/full/something"
expect 2 "$SLOTCTL" init "$TMP/full"
said "is not empty"
[ "$(ls "$TMP/full")" = something ] || fail "init changed a directory that it refused"
expect 3 "$SLOTCTL" --dir "$TMP/nowhere" status
said "is not a market directory"
[ "$(stat -c %a "$M/run/customer.secret" "$M/tls/ca.key" "$M/tls/server.key" | sort -u)" = 600 ] ||
    fail "a secret can be read by others"
[ "$(stat -c %s "$M/run/customer.secret")" = 16 ] || fail "the secret is not 16 bytes"

say "up again leaves alone what runs"
before=$(cat "$M/run/auctiond.process" "$M/run/ledgerd.process")
expect 0 slotctl up
said "runs already"
[ "$before" = "$(cat "$M/run/auctiond.process" "$M/run/ledgerd.process")" ] || fail "up restarted a program"
expect 0 slotctl status
said "the market is open"

say "two markets side by side"
FIRST=$M
new_market second
SECOND=$M
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl >/dev/null
sold=$(status_of durable_batch)
[ "$sold" -gt 0 ] || fail "nothing was sold in the second market"
M=$FIRST
[ "$(status_of durable_batch)" -lt "$sold" ] || fail "what the second sold stands in the first"
expect 0 slotctl down
M=$SECOND
expect 0 slotctl status
M=$FIRST
expect 1 slotctl status
said "the market is down"
expect 0 slotctl up
[ "$(status_of catalog_version)" -ge 1 ] || fail "the catalog is not live after a restart"

say "PostgreSQL stopped: selling goes on, booking waits, and catches up"
slotctl play --bids sample/bids.jsonl >/dev/null
head -n 1 sample/contacts.jsonl >"$TMP/one"
touchpoint=$(sed 's/.*"touchpoint": *"\([^"]*\)".*/\1/' "$TMP/one")
slotctl cert issue touchpoint "$touchpoint" >/dev/null
wait_for 10 slotctl contact "$TMP/one"
wait_for 10 booked
postmaster=$(head -n 1 "$M/postgres/data/postmaster.pid")
kill -INT "$postmaster"
wait_for 20 test ! -e "$M/postgres/data/postmaster.pid"
expect 1 slotctl status
said "selling goes on; booking waits for the database"
expect 3 slotctl verify
said "slotctl --dir"
before=$(status_of durable_batch)
sed 's/"id": *"\([^"]*\)"/"id": "\1-later"/' "$TMP/one" >"$TMP/two"
expect 0 slotctl contact "$TMP/two"
said "-later"
[ "$(status_of durable_batch)" -gt "$before" ] || fail "the contact is not in the journal"
expect 0 slotctl up
said "up, private"
clean

say "an own PostgreSQL by connection string: the other market's server stands for it"
owner=$(cat "$M/run/postgres.owner")
psql -q "$owner" -c 'create database own' -c 'create role app login createrole' -c 'alter database own owner to app'
printf 'vendue   %s   app\n' "$(id -un)" >>"$M/postgres/pg_ident.conf"
psql -qAt "$owner" -c 'select pg_reload_conf()' >/dev/null
own="host=$(cat "$M/run/postgres.socket") dbname=own user=app"
expect 3 "$SLOTCTL" init "$TMP/own" --port 0 --postgres "$own options='-c a.b=c'"
said "leave 'options' out"
[ ! -e "$TMP/own" ] || fail "a failed init left something"
psql -q "$owner" -c 'grant vendue_ledger, vendue_console to app'
M=$TMP/own
MARKETS+=("$M")
expect 0 "$SLOTCTL" init "$M" --port 0 --postgres "$own"
expect 0 slotctl up
said "up, own"
slotctl apply sample/market.yaml >/dev/null
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --quiet >/dev/null
clean
expect 1 psql -q "$(cat "$M/run/postgres.ledger")" -c 'delete from vendue.transfer'
said "permission denied"
expect 0 slotctl down
[ ! -e "$M/postgres" ] || fail "a private cluster was made although an own PostgreSQL was given"
M=$FIRST
expect 1 psql -q "$(cat "$M/run/postgres.ledger")" -c 'update vendue.transfer set amount_micros = 1'
said "permission denied"

say "killed PostgreSQL comes back too"
kill -9 "$(head -n 1 "$M/postgres/data/postmaster.pid")"
expect 0 slotctl up
clean

say "after a power cut all pids are other programs': they are neither taken for the market's nor stopped"
kill -9 "$(cut -d' ' -f1 "$M/run/auctiond.process")" "$(cut -d' ' -f1 "$M/run/ledgerd.process")" \
    "$(head -n 1 "$M/postgres/data/postmaster.pid")"
if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups sleep 600 & else sleep 600 & fi
stranger=$!
for file in "$M/run/auctiond.process" "$M/run/ledgerd.process" "$M/postgres/data/postmaster.pid"; do
    sed -i "1s/^[0-9]*/$stranger/" "$file"
done
sed -i "s/\"pid\": *[0-9]*/\"pid\": $stranger/" "$M/run/auctiond.status" "$M/run/ledgerd.status"
expect 1 slotctl status
said "the market is down"
expect 0 slotctl down
kill -0 $stranger || fail "down stopped a program that is not the market's"
expect 0 slotctl up
clean
expect 0 slotctl down
kill -0 $stranger || fail "down stopped a program that is not the market's"
kill $stranger
expect 0 slotctl down
said "was down"
