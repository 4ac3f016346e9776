#!/usr/bin/env bash
# Why? A past round is told from its record and decided again from the journal, byte for byte, whatever the market
# declares; what is not kept is said to be missing; the price follows from the record alone; the contact sample.
. "$(dirname "$0")/flow.sh"
SEED=${VENDUE_SEED:-$RANDOM}
RANDOM=$SEED
. tests/flow/rich.sh

# told CONTACT: exact, partly or none; from where it is told.
told() { slotctl explain "$1" --json | sed -n 's/.*"replay": "\([a-z]*\)".*/\1/p'; }
# all_told FILE: how often which.
all_told() {
    local id
    sed -n 's/.*"id": "\([a-z]*-[0-9]*\)", "container".*/\1/p' "$1" | while read -r id; do told "$id"; done | sort | uniq -c | tr -s ' \n' ' '
}

say "every rule of selling (seed $SEED)"
M=$TMP/rich
MARKETS+=("$M")
"$SLOTCTL" init "$M" --port 0 >/dev/null
slotctl up >/dev/null
expect 0 slotctl apply tests/flow/rich.yaml
rich_contacts 40 one page page leaf >"$TMP/one"
expect 0 slotctl play --bids "$TMP/rich.bids" --contacts "$TMP/one" --quiet
clean
expect 0 slotctl reprice --all
said "reprice: ok contacts=40 "
said "without_record=0 wrong=0"
expect 0 slotctl explain one-1
said "byte for byte the same"
[ "$(all_told "$TMP/one")" = " 40 exact " ] || fail "not all contacts are told: $(all_told "$TMP/one")"

say "after deliveries, answers, complaints, changed bids, another market and a crash"
slotctl explain one-1 >"$TMP/before"
grep '"touchpoint": "shop"' "$TMP/one" >"$TMP/shop"
slotctl contact "$TMP/shop" --json 2>/dev/null | grep -o '"placement": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{32\}' >"$TMP/placements" || true
count=0
while read -r placement; do
    slotctl event "$placement" delivered --as shop >/dev/null
    case $((RANDOM % 4)) in
        0) slotctl event "$placement" accepted --as shop >/dev/null ;;
        1) slotctl event "$placement" complained --as shop >/dev/null ;;
        2) slotctl event "$placement" converted --order "o-$count" --amount 12.50 --as shop >/dev/null ;;
        *) ;;
    esac
    count=$((count + 1))
done < <(head -n 12 "$TMP/placements")
[ "$count" -gt 0 ] || fail "nothing was sold at the shop"
expect 0 slotctl bid put green tea.green 0.83 --as tea
expect 0 slotctl bid put gourd mate.gourd 25% --as mate
expect 0 slotctl bid put black tea.black 0.95 --kind response --as tea
expect 0 slotctl bid list --as mate
said "25 % of revenue"
expect 0 slotctl bid withdraw paused --as chai
rich_contacts 12 two page page leaf >"$TMP/two"
expect 0 slotctl play --contacts "$TMP/two" --quiet
wait_for 20 booked
sed 's/price: 0.35/price: 0.40/; s/top: {floor: 0.20/top: {floor: 0.22/' tests/flow/rich.yaml >"$TMP/changed.yaml"
expect 0 slotctl apply "$TMP/changed.yaml"
rich_contacts 12 three page page leaf >"$TMP/three"
expect 0 slotctl play --contacts "$TMP/three" --quiet
kill -9 "$(cut -d' ' -f1 "$M/run/auctiond.process")"
expect 0 slotctl up
rich_contacts 12 four page page leaf >"$TMP/four"
expect 0 slotctl play --contacts "$TMP/four" --quiet
clean
for file in one two three four; do
    found=$(all_told "$TMP/$file")
    # What the crash took may be missing: up to some milliseconds of contacts, which are told by the record then.
    case $found in " "[0-9]*" exact ") ;; *) [ "$file" = three ] || fail "$file: $found" ;; esac
done
expect 0 slotctl reprice --all
said "wrong=0"
slotctl explain one-1 | grep -v '^since\|^  20\|^$' >"$TMP/after"
grep -v '^since\|^  20\|^$' "$TMP/before" | diff - "$TMP/after" || fail "what happened later changed what is told of before"

say "one slot, one bid, and what cannot be found"
page=$(sed -n '/"container": "page"/s/.*"id": "\(one-[0-9]*\)".*/\1/p' "$TMP/one" | head -n 1)
expect 0 slotctl explain "$page" top tea/green
said "page.top"
expect 0 slotctl explain "$page" page.top green --json
said '"tagid": "page.top"'
expect 0 slotctl explain "$page" 1
expect 2 slotctl explain "$page" roof
said "no slot 'roof'"
expect 2 slotctl explain "$page" - nothing
said "no bid 'nothing' has been booked"
expect 2 slotctl explain "$page" - cup
said "reference of several seats"
expect 0 slotctl bid put later chai.cup 0.70 --as chai
wait_for 20 booked
expect 1 slotctl explain "$page" - later
said "put later"
expect 2 slotctl explain nobody
said "there is no contact 'nobody'"
expect 2 slotctl explain
expect 2 slotctl reprice "$page" --all
expect 0 slotctl reprice "$page"
said "agrees"
expect 0 slotctl explain "$page" --touchpoint shop
expect 2 slotctl explain "$page" --touchpoint printer
expect 2 slotctl explain "$page" --touchpoint nobody

say "what contacts brought: by name, without customers and transient values, and gone when it is gone"
printf '{"id": "moody-1", "container": "page", "user": {"identity": "repeat", "id": "person-secret", "consent": ["third_party"]}, "attr": {"region": "south", "mood": "furious", "age": 99}}\n' >"$TMP/moody"
expect 0 slotctl contact "$TMP/moody" --as shop
printf '{"id": "tested-1", "container": "page", "test": 1}\n' >"$TMP/tested"
expect 0 slotctl contact "$TMP/tested" --as shop
wait_for 20 booked
wait_for 5 grep -q . "$M"/inputs/*
sleep 0.2
[ "$(told moody-1)" = exact ] || fail "a transient attribute that no rule asks for changed what is told: $(told moody-1)"
contacts=$(status_of contacts)
expect 0 slotctl down
lines=$(cat "$M"/inputs/* | wc -l)
[ "$lines" -ge 77 ] || fail "only $lines inputs are kept"
if grep -rqs 'furious\|person-\|tested' "$M/inputs" "$M/sample"; then fail "a transient value, a customer key or a test was written"; fi
if grep -qs '"age": *99\|"age":99' "$M"/inputs/*; then fail "an attribute without its consent was written"; fi

say "the contact sample: written when its hour is over or the node stops, without ids, the hour for a time"
expect 0 slotctl up
sampled=$(cat "$M"/sample/* | wc -l)
# The crash took those of its hour: they wait in memory, so that their order is lost.
[ "$sampled" -ge 13 ] || fail "only $sampled contacts are sampled since the crash"
if grep -qs '"contact"\|"id"\|at_us\|one-\|moody' "$M"/sample/*; then fail "a sampled contact leads back"; fi
[ "$(grep -c '"hour":"20[0-9-]*T[0-9][0-9]:00:00Z"' "$M"/sample/* | awk -F: '{ n += $NF } END { print n }')" = "$sampled" ] || fail "times are not whole hours"
expect 0 slotctl reach
said "page"
expect 0 slotctl reach --rule "region = 'south'" --json
said '"reached": '
south=$(cat "$M"/sample/* | grep '"container":"page"' | grep -c '"region":"south"')
expect 0 slotctl reach --rule "region = 'south'" --format csv
grep -q "^page,[0-9]*,$south," <<<"$OUT" || fail "$south contacts of the page are of the south: $OUT"
expect 0 slotctl reach --rule "mood = 'furious'"
said "mood is transient: never kept, so unknown in every contact of the sample"
expect 2 slotctl reach --rule "region = "
said "^"
sed 's/share: 100%, days: 3/share: 0.0001%, days: 1/' "$TMP/changed.yaml" >"$TMP/seldom.yaml"
touch "$M/sample/2020-01-01T05" "$M/inputs/2020-01-01"
expect 0 slotctl apply "$TMP/seldom.yaml"
expect 0 slotctl down
expect 0 slotctl up
wait_for 10 test ! -e "$M/sample/2020-01-01T05"
wait_for 10 test ! -e "$M/inputs/2020-01-01"

say "inputs gone: the record alone, and it says so"
rm -r "$M/inputs"
expect 0 slotctl explain "$page"
said "told from the record in the ledger alone"
said "explain.days"
[ "$(told "$page")" = none ] || fail "told without inputs"
printf 'explain: {days: 0}\n' >>"$M/vendue.yaml"
expect 0 slotctl down
expect 0 slotctl up
rich_contacts 3 five page page leaf >"$TMP/five"
expect 0 slotctl play --contacts "$TMP/five" --quiet
[ ! -e "$M/inputs" ] || [ -z "$(ls "$M/inputs")" ] || fail "inputs are kept although explain.days is 0"
clean
