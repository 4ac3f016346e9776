#!/usr/bin/env bash
# The demo, as a newcomer sees it: without a terminal, without control characters, with its figures in the last line.
source "$(dirname "$0")/flow.sh"
export VENDUE_DEMO=$TMP/demo
MARKETS+=("$VENDUE_DEMO")

expect 0 ./dev demo
last=$(printf '%s\n' "$OUT" | tail -n 1)
say "$last"
pattern='^demo: ok contacts=([1-9][0-9]*) placements=([1-9][0-9]*) delivered=([1-9][0-9]*) converted=([1-9][0-9]*) '
pattern+='posted_micros=([1-9][0-9]*) unexplained_micros=0$'
[[ $last =~ $pattern ]] || { printf '%s\n' "$OUT"; fail "the last line is another"; }
[ "${BASH_REMATCH[1]}" = "$(grep -c '"touchpoint"' sample/contacts.jsonl)" ] || fail "contacts were lost"
[ "${BASH_REMATCH[2]}" -ge "${BASH_REMATCH[3]}" ] || fail "more was delivered than was placed"
if printf '%s\n' "$OUT" | LC_ALL=C grep -q '[[:cntrl:]]'; then fail "control characters in the output"; fi
said "set by"
said "stayed empty"
M=$VENDUE_DEMO
expect 1 slotctl status
said "the market is down"

say "and a second time, in a directory that is not a demo's"
mkdir "$TMP/mine"
VENDUE_DEMO=$TMP/mine expect 1 ./dev demo
said "was not made by a demo"
[ -d "$TMP/mine" ] || fail "a directory that no demo made was removed"
