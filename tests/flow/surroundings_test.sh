#!/usr/bin/env bash
# A market in awkward surroundings: blanks in its path, a port that is taken, mistakes in its settings, directories
# that PostgreSQL may not pass, other people. Every refusal names the place and the mend.
source "$(dirname "$0")/flow.sh"

say "a path with blanks, a quote and a comma, too long for a socket"
mkdir -p "$TMP/our markets, it's $(printf 'x%.0s' {1..80})"
M="$TMP/our markets, it's $(printf 'x%.0s' {1..80})/the first"
MARKETS+=("$M")
expect 0 "$SLOTCTL" init "$M" --port 0
next=$(sed -n 's/^next: slotctl//p' <<<"$OUT")
eval "expect 0 '$SLOTCTL' $next"  # what it proposes can be typed as it stands
slotctl apply sample/market.yaml >/dev/null
expect 0 slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --quiet
clean
socket=$(cat "$M/run/postgres.socket")
kill -9 "$(head -n 1 "$M/postgres/data/postmaster.pid")"
expect 0 slotctl up
[ "$(cat "$M/run/postgres.socket")" = "$socket" ] || fail "a crash left a directory in /tmp"
expect 0 slotctl status
expect 0 slotctl down
[ ! -e "$socket" ] || fail "$socket was left"

say "settings with mistakes: named, and nothing starts"
cp "$M/vendue.yaml" "$TMP/good.yaml"
mistake() {
    { cat "$TMP/good.yaml"; printf '%b' "$1"; } >"$M/vendue.yaml"
    expect 2 slotctl up
    said "vendue.yaml:$2"
    [ ! -e "$M/postgres/data/postmaster.pid" ] || fail "PostgreSQL was started"
}
lines=$(wc -l <"$TMP/good.yaml")
mistake 'jurnal:\n  log: 1\n' "$((lines + 2)):8: jurnal.log: there is no such setting"
mistake 'journal:\n  segment: 1\n' "$((lines + 2)):12: journal.segment: '1' is not a size"
mistake 'book:\n  contacts: few\n' "$((lines + 2)):13: book.contacts: 'few' is not a count"
mistake '\t- a\n' "$((lines + 1)):1:"
cp "$TMP/good.yaml" "$M/vendue.yaml"

say "the port is taken: by another market"
expect 0 slotctl up
FIRST=$M
taken=$(sed -n 's/^ *port: //p' "$FIRST/vendue.yaml")
M=$TMP/second
MARKETS+=("$M")
expect 0 "$SLOTCTL" init "$M" --port "$taken"
expect 3 slotctl up
said "127.0.0.1 port $taken: in use by another program"
expect 1 slotctl status
said "nothing is sold: auctiond is down"
expect 0 "$SLOTCTL" init "$TMP/spare" --port 0
free=$(sed -n 's/^ *port: //p' "$TMP/spare/vendue.yaml")
sed -i "s/port: $taken/port: $free/" "$M/vendue.yaml"
expect 0 slotctl up
case $OUT in *"listening   127.0.0.1 port $free"*) ;; *) fail "it does not say where it listens" ;; esac
expect 0 slotctl down
sed -i "s/port: $free/port: $taken/" "$M/vendue.yaml"
expect 3 slotctl up
said "in use by another program"
case $OUT in *"auctiond stopped"*) fail "it shows what an earlier start logged: $OUT" ;; esac
M=$FIRST
expect 0 slotctl status
sed -i "s/port: $taken/port: $((free + 100))/" "$M/vendue.yaml"
expect 0 slotctl up
said "listening   127.0.0.1 port $taken"
said "vendue.yaml says port $((free + 100)); that counts after down and up"
cp "$TMP/good.yaml" "$M/vendue.yaml"

say "a ledgerd that does not start does not keep the market from selling"
mkdir "$TMP/bin"
cp "$BIN/slotctl" "$BIN/auctiond" "$TMP/bin"
expect 0 slotctl down
expect 3 "$TMP/bin/slotctl" --dir "$M" up
said "$TMP/bin/ledgerd: No such file or directory"
expect 1 slotctl status
said "selling goes on; booking waits for ledgerd: slotctl up"
expect 0 slotctl up
clean

say "a catalog that cannot be written: status says what ails ledgerd, and for how long it does"
mv "$M/published" "$TMP/published"
touch "$M/published"
sed 's/name: The sample market/name: Another name/' sample/market.yaml >"$TMP/renamed.yaml"
slotctl apply "$TMP/renamed.yaml" >"$TMP/applied" || true
ails() { slotctl status | grep -q 'ledgerd fails since .*published/catalog'; }
wait_for 10 ails
for _ in 1 2 3 4 5 6; do ails || fail "status forgot what ails ledgerd"; sleep 0.4; done
[ "$(grep -c publish.failing "$M/log/ledgerd.log")" = 1 ] || fail "it is logged more than once"
rm "$M/published"
mv "$TMP/published" "$M/published"
well() { ! ails; }
wait_for 10 well

say "addresses and names"
for host in "bad host" market.example.com ""; do
    expect 2 "$SLOTCTL" init "$TMP/third" --port 0 --host "$host"
    said "is no address such as"
done
expect 2 "$SLOTCTL" init "$TMP/third" --port 0 --name "a b"
said "is no host name or address"
expect 0 "$SLOTCTL" init "$TMP/third" --port 0 --host 0.0.0.0 --name market.example.com
openssl verify -verify_hostname market.example.com -CAfile "$TMP/third/tls/ca.crt" "$TMP/third/tls/server.crt" >/dev/null ||
    fail "the certificate does not bear the name"

say "paths that cannot be"
expect 3 "$SLOTCTL" init "$TMP/a \$(date) b" --port 0
said "put the market elsewhere"
[ ! -e "$TMP/a \$(date) b" ] || fail "a failed init left something"
expect 3 "$SLOTCTL" init "$TMP/no/such/folder" --port 0
if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 "$TMP/closed"
    expect 3 "$SLOTCTL" init "$TMP/closed/market" --port 0
    said "user postgres, which runs PostgreSQL for root, may not pass $TMP/closed"
    [ ! -e "$TMP/closed/market" ] || fail "a failed init left something"
    expect 3 setpriv --reuid=nobody --regid=nogroup --clear-groups "$TMP/bin/slotctl" --dir "$TMP/third" status
    said "vendue.yaml: Permission denied; ask as the user who made the market, or as root"
fi
