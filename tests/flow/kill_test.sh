#!/usr/bin/env bash
# Each program killed in the middle of the sample: after `up` nothing is lost, nothing is booked twice.
source "$(dirname "$0")/flow.sh"

play() { slotctl play --bids sample/bids.jsonl --contacts "$TMP/contacts" --events "$TMP/events" --quiet; }

# middle PID: kills it as soon as the journal has moved by some batches, while the player plays.
middle() {
    local batch
    batch=$(status_of durable_batch)
    play >"$TMP/play.log" 2>&1 &
    local player=$!
    wait_for 20 moved "$batch"
    kill -9 "$1"
    wait "$player" || true  # it may have been cut off
}
moved() { [ "$(status_of durable_batch)" -gt $(($1 + 20)) ]; }

# copied FILE NAMES SUFFIX: the file, with every reference of these names made another.
copied() { sed "s/\"\($2\)\": *\"\([^\"]*\)\"/\"\1\": \"\2-$3\"/g" "$1"; }

new_market victim
# Certificates and bids first, so that the contacts are what is interrupted.
slotctl play --bids sample/bids.jsonl >/dev/null
round=0
for program in auctiond ledgerd postgres; do
    round=$((round + 1))
    rm -f "$TMP/contacts" "$TMP/events"
    say "$program killed in the middle"
    for copy in 1 2 3 4; do
        copied sample/contacts.jsonl id "$round-$copy" >>"$TMP/contacts"
        copied sample/events.jsonl 'contact\|order\|refund' "$round-$copy" >>"$TMP/events"
    done
    case $program in
    postgres) pid=$(head -n 1 "$M/postgres/data/postmaster.pid") ;;
    *) pid=$(cut -d' ' -f1 "$M/run/$program.process") ;;
    esac
    middle "$pid"
    expect 0 slotctl up
    clean
    # Playing it all again completes what was cut off, and sells nothing twice.
    expect 0 play
    expect 0 play
    said "known before"
    clean
    transfers=${OUT##*transfers=}
    expect 0 play
    clean
    [ "$transfers" = "${OUT##*transfers=}" ] || fail "playing the same again booked something"
done
