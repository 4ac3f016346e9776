#!/bin/bash
# Exports are read by hledger, ledger and beancount themselves, and the CSV by SQLite, or awk where that is not
# installed, as a fourth opinion: all agree on the real ones, and each of the first three refuses a lost, a
# doubled, and a changed transfer.
#
# The exports come from export_test, which fills a ledger through the journal and the shipper.
set -u
: "${BIN:?the folder of the built programs}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

for tool in hledger ledger bean-check; do
    command -v "$tool" >/dev/null || { echo "FAILED: $tool is not installed"; exit 1; }
done
EXPORT_TO=$folder "$BIN/export_test" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }

check() { # tool file
    case $1 in
    hledger) hledger -f "$2" check -s ordereddates ;;
    ledger) ledger -f "$2" --strict --pedantic --no-pager bal --flat --empty ;;
    beancount) bean-check --no-cache "$2" ;;
    esac >"$folder/said" 2>&1
}

# The lines of the transaction that is the given one among those of kind "charge", as "first,last".
find_charge() { # file nth
    awk -v nth="$2" '
        /^[0-9-]+ \* / && /charge/ { seen++; if (seen == nth) { first = NR } }
        first && NR > first && /^$/ { print first "," NR; exit }' "$1"
}

lose() { sed "$(find_charge "$1" 3)d" "$1"; }
double() { # the transaction stands twice
    local lines
    lines=$(find_charge "$1" 3)
    awk -v first="${lines%,*}" -v last="${lines#*,}" '
        NR >= first && NR <= last { kept = kept $0 "\n" }
        { print }
        NR == last { printf "%s", kept }' "$1"
}
# One micro more on the first posting, or on both.
add_micro() { # file postings
    local lines
    lines=$(find_charge "$1" 3)
    awk -v first="${lines%,*}" -v postings="$2" '
        NR > first && NR <= first + postings {
            match($0, /-?[0-9]+\.[0-9]+/)
            number = substr($0, RSTART, RLENGTH)
            sign = substr(number, 1, 1) == "-" ? "-" : ""
            sub(/^-/, "", number)
            micros = number
            sub(/\./, "", micros)
            micros = sprintf("%07d", micros + 1)
            whole = substr(micros, 1, length(micros) - 6)
            $0 = substr($0, 1, RSTART - 1) sign whole "." substr(micros, length(micros) - 5) substr($0, RSTART + RLENGTH)
        }
        { print }' "$1"
}

for pair in hledger:journal ledger:ledger beancount:beancount; do
    tool=${pair%:*} suffix=${pair#*:}
    for month in 2026-10 2026-11; do
        check "$tool" "$folder/$month.$suffix" || fail "$tool refuses $month: $(head -3 "$folder/said")"
    done
    real=$folder/2026-11.$suffix
    lose "$real" >"$folder/lost.$suffix"
    double "$real" >"$folder/doubled.$suffix"
    add_micro "$real" 1 >"$folder/one_leg.$suffix"
    add_micro "$real" 2 >"$folder/both_legs.$suffix"
    for mutation in lost doubled one_leg both_legs; do
        if cmp -s "$real" "$folder/$mutation.$suffix"; then
            fail "mutation $mutation of $suffix changed nothing"
        elif check "$tool" "$folder/$mutation.$suffix"; then
            fail "$tool accepts $mutation"
        else
            echo "$tool refuses $mutation"
        fi
    done
done

# The fourth opinion knows no accounting: integer micros, added up.
if command -v sqlite3 >/dev/null; then
    fourth=SQLite
    sqlite3 :memory: -cmd '.mode csv' -cmd ".import $folder/2026-11.csv t" "
        select a, sum(x) from (select debit a, amount_micros + 0 x from t
        union all select credit, -(amount_micros + 0) from t) group by a order by a" | tr -d '\r' >"$folder/fourth"
else
    fourth=awk
    awk -F, 'NR > 1 { sum[$6] += $8; sum[$7] -= $8 } END { for (a in sum) printf "%s,%.0f\n", a, sum[a] }' \
        "$folder/2026-11.csv" | LC_ALL=C sort >"$folder/fourth"
fi
cmp -s "$folder/fourth" "$folder/2026-11.balances" ||
    fail "$fourth: $(diff "$folder/fourth" "$folder/2026-11.balances" | head -3)"

[ "$failures" -eq 0 ] && echo "hledger, ledger, beancount and $fourth agree; 12 mutations refused"
exit "$((failures > 0))"
