#!/usr/bin/env bash
# Finance's verbs on a real market: refusals and exit codes, a close that is killed again and again, statements
# as text, CSV, JSON and files, and facts that come after the close.
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
expect 2 slotctl statement grill_house "$period" --format pdf
expect 2 slotctl export "$period"
expect 2 slotctl export "$period" --format xml
expect 3 slotctl export "$period" --format csv --output /nonexistent/file
expect 2 slotctl report ladders
expect 2 slotctl report ladder --period "$period" --from 2026-01-01
expect 2 slotctl report ladder --from 2026-02-01 --until 2026-01-01
expect 2 slotctl deposit reading_room 5
expect 2 slotctl deposit reading_room 5.0000001 --reference x
expect 2 slotctl deposit sales 5 --reference x
expect 2 slotctl verify now
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

say "a close that is killed goes on where it stopped"
for try in 1 2 3 4 5 6; do
    "$SLOTCTL" --dir "$M" close "$period" --early >/dev/null 2>&1 &
    pid=$!
    sleep "0.$((try * 37 % 50 + 100))"
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
done
expect 0 slotctl close "$period" --early
said "9  closed"
expect 0 slotctl close "$period"
said "was closed before"
expect 0 slotctl close "$period" --json
said '"closed": true'
clean

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
before=$(cat "$files"/*/"$period".* | sha256sum)

say "what comes after the close belongs to the next period"
sed 's/"id": *"\([^"]*\)"/"id": "\1-later"/' sample/contacts.jsonl >"$TMP/contacts"
sed 's/"\(contact\|order\|refund\)": *"\([^"]*\)"/"\1": "\2-later"/g' sample/events.jsonl >"$TMP/events"
slotctl play --contacts "$TMP/contacts" --events "$TMP/events" --quiet >/dev/null
clean
expect 0 slotctl statement grinder_works "$next"
said "draft"
[ "$before" = "$(for f in "$files"/*/"$period".*; do
    seat=$(basename "$(dirname "$f")")
    slotctl statement "$seat" "$period" --format "${f##*.}"
done | sha256sum)" ] || fail "a closed statement changed"
expect 0 slotctl report proof
said "unexplained_micros=0"

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
