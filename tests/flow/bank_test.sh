#!/usr/bin/env bash
# The bank and attribution as docs/bank.md and docs/attribution.md tell them, as verbs on a real market: rates, a payout
# and its file, statements of the bank that match and that do not, path tables, fits; and afterwards the books are proven.
source "$(dirname "$0")/flow.sh"

period=$(date -u +%Y-%m)
new_market bank
slotctl play --bids sample/bids.jsonl --contacts sample/contacts.jsonl --events sample/events.jsonl --quiet >/dev/null

say "rates"
expect 0 slotctl rate
said "No rates yet"
expect 1 slotctl rate EUR CHF
said "write one down: slotctl rate EUR CHF RATE --source SOURCE"
expect 2 slotctl rate EUR CHF 0.9371
said "needs --source"
expect 2 slotctl rate EUR chf 0.9371 --source ECB
said "three capitals"
expect 2 slotctl rate EUR EUX 0.9371 --source ECB
said "not a currency"
expect 2 slotctl rate EUR EUR 1 --source ECB
expect 2 slotctl rate EUR CHF -1 --source ECB
expect 2 slotctl rate EUR CHF 0.9371 --source ECB --at 2999-01-01
said "in the future"
expect 2 slotctl rate EUR CHF 0.9371 --source ECB --spread 100%
expect 0 slotctl rate EUR CHF 0.9371 --source ECB --at 2026-01-01 --spread 1% --by ada
expect 0 slotctl rate EUR CHF 0.9371 --source ECB --at 2026-01-01 --spread 1%
said "was written down before"
expect 1 slotctl rate EUR CHF 0.9372 --source ECB --at 2026-01-01
said "another rate"
expect 0 slotctl rate CHF EUR
said "written for the other way"
expect 0 slotctl --json rate
said '"spread_ppm": 10000'

say "a payout of a closed month"
expect 2 slotctl payout "$period"
said "is not closed"
expect 2 slotctl payout "$period" --run
expect 2 slotctl payout --run
expect 2 slotctl payout 2026-13
expect 0 slotctl payout
wait_for 30 booked
expect 0 slotctl lock run
expect 0 slotctl close "$period" --early
expect 0 slotctl payout "$period"
said "Nothing is booked"
expect 0 slotctl payout "$period" --run --out "$TMP/one.xml" --by ada
said "is $TMP/one.xml"
expect 0 slotctl payout "$period" --run --out "$TMP/two.xml"
said "booked before by act"
said "only if the bank does not have it yet"
cmp "$TMP/one.xml" "$TMP/two.xml" || fail "another file the second time"
expect 3 slotctl payout "$period" --run --out /nonexistent/file
expect 0 slotctl payout
said "$period,brew_journal,"
said ",sent,"
expect 0 slotctl payout --check "$TMP/one.xml"
said "1 payments, as in the books"
sed 's/FR14/FR15/' "$TMP/one.xml" >"$TMP/other.xml"
expect 1 slotctl payout --check "$TMP/other.xml"
said "goes to account FR15"
expect 2 slotctl payout --check sample/market.yaml

say "what the bank says"
id=$(sed -n 's|.*<EndToEndId>\(.*\)</EndToEndId>.*|\1|p' "$TMP/one.xml")
amount=$(sed -n 's|.*<InstdAmt Ccy="EUR">\(.*\)</InstdAmt>.*|\1|p' "$TMP/one.xml")
statement() { # AMOUNT END_TO_END
    cat <<XML
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct><Ntry><Amt Ccy="EUR">$1</Amt>
<CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>$(date -u +%Y-%m-%d)</Dt></BookgDt>
<AcctSvcrRef>A$1</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>$2</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>
XML
}
expect 2 slotctl bank sample/market.yaml
said "this is no XML"
expect 2 slotctl bank /nonexistent
expect 2 slotctl bank
statement 999.99 "$id" >"$TMP/wrong.xml"
expect 1 slotctl bank "$TMP/wrong.xml"
said "and it was told $amount EUR"
statement "$amount" "$id" >"$TMP/right.xml"
expect 0 slotctl bank "$TMP/right.xml" --by ada
said "brew_journal is paid"
expect 0 slotctl bank "$TMP/right.xml"
said "0 booked, 1 booked before"
expect 0 slotctl --json bank "$TMP/right.xml"
said '"before": 1'
expect 0 slotctl payout
said ",paid,"

say "attribution"
printf 'path,conversions,nulls\nmail,10,90\nshop,30,70\nmail > shop,40,60\n' >"$TMP/paths.csv"
expect 0 slotctl attribute --model counterfactual --paths "$TMP/paths.csv"
[ "$OUT" = "$(printf 'touch,conversions,value\nmail,20,0\nshop,60,0')" ] || fail "counterfactual: $OUT"
printf 'path,conversions\nmail@14 > shop@0,5\n' >"$TMP/days.csv"
expect 0 slotctl attribute --model time_decay --half-life 7 --paths "$TMP/days.csv"
[ "$OUT" = "$(printf 'touch,conversions,value\nmail,1,0\nshop,4,0')" ] || fail "time decay: $OUT"
expect 2 slotctl attribute --model time_decay --paths "$TMP/paths.csv"
said "$TMP/paths.csv:2: touch 1 is 'mail'"
expect 2 slotctl attribute --model magic --paths "$TMP/paths.csv"
expect 2 slotctl attribute --model position --first 70 --last 40 --paths "$TMP/paths.csv"
expect 2 slotctl attribute --model last
expect 1 slotctl attribute --fit "$period"
said "no contract"
expect 0 slotctl attribute --fit "$period" --model shapley
said "Fit 1 (shapley of $period) is made"
expect 0 slotctl attribute --fit "$period" --model shapley
said "was made before"
expect 0 slotctl attribute --fits
said "1,shapley,$period,"
slotctl attribute --ledger "$period:1" >"$TMP/own.csv"
# Made again from its own paths: each touch's part of all conversions is its weight, to a millionth.
slotctl attribute --weights 1 | tail -n +2 | sort >"$TMP/kept.csv"
slotctl attribute --model shapley --paths "$TMP/own.csv" 2>/dev/null | awk -F'[,/]' '
    NR > 1 { part[$1 "," $2] = $3; sum += $3 }
    END { for (key in part) printf "%s %.0f\n", key, part[key] / sum * 1000000 }' | sort >"$TMP/made.csv"
while IFS=, read -r seat rung ppm; do
    awk -v key="$seat,$rung" -v ppm="$ppm" '$1 == key { found = 1; if ($2 - ppm > 1 || ppm - $2 > 1) exit 1 }
        END { if (!found && ppm != 0) exit 1 }' "$TMP/made.csv" || fail "weight of $seat $rung: $ppm"
done <"$TMP/kept.csv"
expect 1 slotctl attribute --weights 9

clean
