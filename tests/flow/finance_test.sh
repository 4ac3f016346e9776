#!/usr/bin/env bash
# Finance's verbs on a real market, as docs/finance.md tells them: refusals and exit codes, a close that waits for a
# node, that is killed again and again; statements as text, CSV, JSON and files; roots as files; facts that come after
# the close; a database whose owner changes what was closed.
source "$(dirname "$0")/flow.sh"

period=$(date -u +%Y-%m)
next=$(date -u -d "$(date -u +%Y-%m-01) +1 month" +%Y-%m)
new_market books
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl --quiet >/dev/null

say "what is wrong is said, and nothing is done"
expect 2 slotctl close 2026-13
said "is not a period"
expect 2 slotctl close
expect 1 slotctl close "$next" --early
said "has not begun"
expect 1 slotctl close "$period"
said "--early"
expect 2 slotctl statement nobody "$period"
said "no seat 'nobody'"
expect 2 slotctl statement grill_house "$period" --format docx
expect 2 slotctl export "$period"
expect 2 slotctl export "$period" --format xml
expect 3 slotctl export "$period" --format csv --output /nonexistent/file
expect 2 slotctl report ladders
expect 2 slotctl report ladder --period "$period" --from 2026-01-01
expect 2 slotctl report ladder --from 2026-02-01 --until 2026-01-01
expect 2 slotctl deposit reading_room 5
expect 2 slotctl deposit reading_room 5.0000001 --reference x
expect 2 slotctl deposit reading_room 5.001 --reference x
said "more decimals than the currency has"
expect 2 slotctl deposit sales 5 --reference x
expect 2 slotctl verify now
expect 2 slotctl close "$period" --dead 2
said "say who you are with --by NAME"
expect 2 slotctl close "$period" --dead two --by me --reason x
said "is not a log's number"
expect 2 slotctl close "$period" --by me
said "belong to --dead LOG"
expect 0 slotctl status
said "period      $period is open"
expect 2 slotctl split 5 0
expect 0 slotctl split 100 1 1 1
[ "$OUT" = "34 33 33" ] || fail "split: $OUT"

say "a deposit is booked once"
expect 0 slotctl deposit reading_room 25.00 --reference B1
said "is booked in $period"
expect 0 slotctl deposit reading_room 25.00 --reference B1
said "was booked before"
said "Balance 25.00 EUR"
expect 1 slotctl deposit reading_room 26.00 --reference B1
said "was booked with 25.00 EUR"

say "a node that does not report stops the close, until somebody declares it dead"
owner=$(cat "$M/run/postgres.owner")
"$SLOTCTL" init "$TMP/second" --port 0 --postgres "$owner" >/dev/null
MARKETS+=("$TMP/second")
printf 'journal:\n  log: 2\n' >>"$TMP/second/vendue.yaml"
"$SLOTCTL" --dir "$TMP/second" up >/dev/null
"$SLOTCTL" --dir "$TMP/second" down >/dev/null
psql -qX "$owner" -c 'update vendue.watermark set reported_us = 1 where log = 2'
expect 3 slotctl close "$period" --early
said "log 2 has not reported"
said "--dead 2 --by NAME --reason TEXT"
expect 1 slotctl close "$period" --early --dead 1 --by 'controller' --reason 'none'
said "is not dead"
expect 1 slotctl close "$period" --early --dead 7 --by 'controller' --reason 'none'
said "there is no log 7"

say "a reader that the settings name must be there"
printf 'close:\n  readers: hledger, abacus\n' >>"$M/vendue.yaml"
expect 3 slotctl close "$period" --early
said "close.readers: use a list of hledger, ledger, beancount and sqlite"
sed -i '/^close:/,$d' "$M/vendue.yaml"
printf 'close:\n  readers: hledger, sqlite\n' >>"$M/vendue.yaml"

say "a close that is killed goes on where it stopped"
"$SLOTCTL" --dir "$M" close "$period" --early --dead 2 --by 'controller' --reason 'disk of node 2 is lost' \
    >/dev/null 2>&1 &
pid=$!
sleep 0.2
kill -9 "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
for try in 1 2 3 4 5 6; do
    "$SLOTCTL" --dir "$M" close "$period" --early --dead 2 --by 'controller' --reason lost >/dev/null 2>&1 &
    pid=$!
    sleep "0.$((try * 37 % 50 + 100))"
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
done
expect 0 slotctl close "$period" --early --dead 2 --by 'controller' --reason lost
said "9  closed"
said "hledger agrees"
case $OUT in *"beancount agrees"*) fail "a reader that the settings do not name was asked" ;; esac
expect 0 slotctl close "$period"
said "was closed before"
expect 1 slotctl close 2020-01
said "$period has been closed or fenced already"
expect 0 slotctl close "$period" --json
said '"closed": true'
root=$(printf '%s\n' "$OUT" | sed -n 's/^  "root": "\([0-9a-f]*\)".*/\1/p')
clean
said "as published"
expect 0 slotctl status
said "closed up to $period"

say "the root is the digest of a file, and names the dead node"
[ "$(sha256sum <"$M/published/roots/$period.root")" = "$root  -" ] || fail "the root is not its file's digest"
expect 0 grep '^log 2 epoch .* dead ' "$M/published/roots/$period.root"
expect 0 grep '^previous none' "$M/published/roots/$period.root"
[ "$(psql -qAtX "$owner" -c "select author from vendue.act where kind = 'dead'")" = "controller" ] || fail "no act"

say "statements: the digest is the CSV's, files are the same bytes"
files=$M/published/statements
wait_for 10 test -e "$files/.$period"
for format in txt csv json; do
    slotctl statement grinder_works "$period" --format "$format" >"$TMP/statement.$format"
    cmp "$TMP/statement.$format" "$files/grinder_works/$period.$format" || fail "the file differs: $format"
done
digest=$(sha256sum <"$TMP/statement.csv")
expect 0 slotctl statement grinder_works "$period"
said "Digest ${digest%% *}"
before=$(cat "$files"/*/"$period".{csv,json,txt} | sha256sum)

say "what comes after the close belongs to the next period"
sed 's/"id": *"\([^"]*\)"/"id": "\1-later"/' sample/contacts.jsonl >"$TMP/contacts"
sed 's/"\(contact\|order\|refund\)": *"\([^"]*\)"/"\1": "\2-later"/g' sample/events.jsonl >"$TMP/events"
slotctl play --contacts "$TMP/contacts" --events "$TMP/events" --quiet >/dev/null
clean
expect 0 slotctl statement grinder_works "$next"
said "draft"
[ "$before" = "$(for f in "$files"/*/"$period".{csv,json,txt}; do
    seat=$(basename "$(dirname "$f")")
    slotctl statement "$seat" "$period" --format "${f##*.}"
done | sha256sum)" ] || fail "a closed statement changed"
expect 0 slotctl report proof
said "unexplained_micros=0"

say "nobody changes a closed period unnoticed, the owner of the database included"
for change in "create table kept as table vendue.period_event; delete from vendue.period_event where step = 9 @ insert into
     vendue.period_event select * from kept where step = 9; drop table kept" \
    "update vendue.balance set debit = debit + 1 @ update vendue.balance set debit = debit - 1" \
    "update vendue.act set author = author || ' ' @ update vendue.act set author = rtrim(author)"; do
    psql -qX -v ON_ERROR_STOP=1 "$owner" -c "${change%%@*}" >/dev/null
    expect 1 slotctl verify
    psql -qX -v ON_ERROR_STOP=1 "$owner" -c "${change#*@}" >/dev/null
done
clean

say "reports print in all three formats, exports are written whole"
for report in ladder objectives matrix fill; do
    for format in text csv json; do expect 0 slotctl report "$report" --format "$format"; done
done
expect 0 slotctl export "$period" --format csv --output "$TMP/out.csv"
[ "$(wc -l <"$TMP/out.csv")" -gt 50 ] || fail "the export is short"
expect 3 bash -c "'$SLOTCTL' --dir '$M' export $period --format csv >/dev/full"
said "No space left on device"

say "without the market the verbs say so"
slotctl down >/dev/null
for verb in "close $period" "statement grill_house $period" "export $period --format csv" "report ladder" verify \
    "deposit reading_room 1 --reference z"; do
    # shellcheck disable=SC2086
    expect 3 slotctl $verb
    said "is the market up?"
done
