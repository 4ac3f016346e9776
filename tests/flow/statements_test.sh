#!/usr/bin/env bash
# Statements and reconciliation on a real market, as docs/statements.md tells them: every format as a file and over the
# verb, lines that open, invoices by the rules, a partner's own file against the ledger's.
source "$(dirname "$0")/flow.sh"

period=$(date -u +%Y-%m)
new_market books
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl --quiet >/dev/null
wait_for 30 booked

say "lines open, and what is not there is said"
lines=$(slotctl statement grinder_works "$period" --format csv | grep -c ',line,[0-9]')
[ "$lines" -gt 0 ] || fail "no lines"
for n in $(seq "$lines"); do
    expect 0 slotctl statement grinder_works "$period" --line "$n"
    said ": the line"
done
expect 0 slotctl --json statement grinder_works "$period" --line 1
said '"row":"transfer"'
expect 0 slotctl statement grinder_works "$period" --message grinder_works.hand
expect 2 slotctl statement grinder_works "$period" --line $((lines + 1))
said "has $lines lines"
expect 2 slotctl statement grinder_works "$period" --line first
expect 2 slotctl statement grinder_works "$period" --slot no.where
expect 1 slotctl statement sales "$period" --format invoice
said "has no invoice"

say "its own file agrees; a changed one does not"
slotctl reconcile grinder_works "$period" >"$TMP/ours.csv"
expect 0 slotctl reconcile grinder_works "$period" "$TMP/ours.csv"
said "reconcile: within"
awk -F, -v OFS=, '$2 == "billing" && !done { $9 = $9 * 3; done = 1 } { print }' "$TMP/ours.csv" >"$TMP/wrong.csv"
expect 1 slotctl reconcile grinder_works "$period" "$TMP/wrong.csv"
said "reconcile: dispute"
printf 'event,placement,price_micros\nbilling,zz,1\n' >"$TMP/bad.csv"
expect 2 slotctl reconcile grinder_works "$period" "$TMP/bad.csv"
said "line 2: the placement is not 32 hex digits"
expect 2 slotctl reconcile nobody "$period"
expect 2 slotctl reconcile grinder_works "$period" /nonexistent/file

say "closed: every document is a file, the same bytes as the verb prints"
expect 0 slotctl close "$period" --early
files=$M/published/statements
wait_for 20 test -e "$files/.$period"
invoices=0
for file in "$files"/*/"$period".*; do
    seat=$(basename "$(dirname "$file")")
    suffix=${file##*/"$period".}
    case $suffix in
    reconcile.csv) slotctl reconcile "$seat" "$period" | cmp - "$file" || fail "differs: $file" ;;
    *) slotctl statement "$seat" "$period" --format "$suffix" | cmp - "$file" || fail "differs: $file" ;;
    esac
    case $suffix in
    pdf) head -c 5 "$file" | grep -q '%PDF-' || fail "no PDF: $file" ;;
    *.xml)
        python3 tests/ledger/invoice_rules.py "$file" || fail "not by the rules: $file"
        invoices=$((invoices + 1))
        ;;
    esac
done
say "$invoices invoices by the rules"
expect 0 slotctl verify
said "unexplained_micros=0"
