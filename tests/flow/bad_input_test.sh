#!/usr/bin/env bash
# Bad input of every kind: each is answered with a named reason, nothing is changed by it, and the market goes on.
source "$(dirname "$0")/flow.sh"

new_market bad
say "certificates"
slotctl play --bids sample/bids.jsonl >/dev/null
for touchpoint in crm bill_run; do slotctl cert issue touchpoint "$touchpoint" >/dev/null; done
good='{"id": "good-1", "container": "monthly_bill", "user": {"id": "k-1", "identity": "repeat", "consent": ["profiling", "third_party"]}}'

# contact REASON LINE: refused with that reason. contact ok LINE: answered.
contact() {
    printf '%s\n' "$2" >"$TMP/line"
    if [ "$1" = ok ]; then
        expect 0 slotctl contact "$TMP/line" --as bill_run
    else
        expect 2 slotctl contact "$TMP/line" --as bill_run --json
        said "\"reason\": \"$1\""
    fi
}

say "fields of a contact"
printf '%s\n' "$good" >"$TMP/good"
wait_for 10 slotctl contact "$TMP/good" --as bill_run
contact ok "$good"
said "the same answer again"
contact ok "{\"id\": \"good-2\", \"colour\": \"blue\", \"container\": \"monthly_bill\", \"user\": {\"identity\": \"anonymous\", \"shoe\": 44}}"
contact conflict "${good/third_party/sharing}"
contact missing_field '{"container": "monthly_bill"}'
contact missing_field '{"id": "x-1"}'
contact wrong_type '{"id": 7, "container": "monthly_bill"}'
contact wrong_type '{"id": "x-2", "container": ["monthly_bill"]}'
contact wrong_type '{"id": "x-3", "container": "monthly_bill", "user": {"id": "k", "identity": "repeat", "consent": "profiling"}}'
contact wrong_type '{"id": "x-4", "container": "monthly_bill", "attr": {"waiting_seconds": 1.5}}'
contact unknown_container '{"id": "x-5", "container": "no_such_bill"}'
contact unknown_slot '{"id": "x-6", "container": "monthly_bill", "imp": [{"tagid": "monthly_bill.nowhere"}]}'
contact out_of_range '{"id": "x-7", "container": "monthly_bill", "user": {"identity": "friend"}}'
contact out_of_range '{"id": "x-8", "container": "monthly_bill", "attr": {"waiting_seconds": 100000}}'
contact too_large "{\"id\": \"$(printf 'x%.0s' {1..41})\", \"container\": \"monthly_bill\"}"
printf '{"id": "x-9", "container"\n' >"$TMP/line"
expect 2 slotctl contact "$TMP/line" --as bill_run
said "line:1:"

say "bids and amounts"
bid() { expect "$1" slotctl bid put "${@:3}"; said "$2"; }
bid 2 "is no price" b-1 grill_house.summer 1.1234567 --as grill_house
bid 2 "is no price" b-1 grill_house.summer 99999999999999999999 --as grill_house
bid 2 "is no price" b-1 grill_house.summer 1e3 --as grill_house
bid 2 "is no price" b-1 grill_house.summer 0 --as grill_house
bid 2 "is no price" b-1 grill_house.summer 100.1% --as grill_house
bid 2 "is no price" b-1 grill_house.summer 5 --kind percent --as grill_house
bid 2 "unknown_message" b-1 grill_house.nothing 1 --as grill_house
bid 2 "unknown_slot" b-1 grill_house.summer 1 --slot monthly_bill.nowhere --as grill_house
bid 2 "not_yours" b-1 reading_room.weekly 1 --as grill_house
expect 2 slotctl bid withdraw never-put --as grill_house
said "unknown_bid"
expect 2 slotctl cert issue seat nobody_here
said "the market has no seat nobody_here"
expect 2 slotctl cert issue seat ../escape
said "is no code"

say "events"
expect 0 slotctl contact "$TMP/good" --as bill_run
placement=$(sed -n 's/^ *placement \([0-9a-f]\{32\}\)$/\1/p' <<<"$OUT" | head -n 1)
[ -n "$placement" ] || fail "the good contact sold nothing"
event() { expect "$1" slotctl event "${@:3}"; said "$2"; }
event 2 unknown_placement 00000000000000000000000000000011 delivered --as bill_run
event 2 early "$placement" accepted --as bill_run
event 2 early "$placement" converted --order o-1 --amount 5 --as bill_run
event 2 not_yours "$placement" delivered --as crm
event 2 wrong_role "$placement" delivered --as grill_house
event 0 delivered "$placement" delivered --as bill_run
event 0 "as was known" "$placement" delivered --as bill_run
event 2 not_yours "$placement" converted --order o-1 --amount 5 --as record_link
event 2 missing_field "$placement" converted --as bill_run
event 0 converted "$placement" converted --order o-1 --amount 5 --as bill_run
event 2 conflict "$placement" converted --order o-1 --amount 6 --as bill_run
event 2 refund_exceeds "$placement" refunded --order o-1 --refund r-1 --amount 5.000001 --as bill_run
event 0 refunded "$placement" refunded --order o-1 --refund r-1 --amount 5 --as bill_run
event 2 out_of_range "$placement" forgotten --as bill_run

say "late"
late='{"id": "late-1", "container": "support_call", "attr": {"waiting_seconds": 100}, "imp": [{"tagid": "support_call.on_hold"}], "user": {"id": "k-9", "identity": "repeat", "consent": ["profiling", "modelling"]}}'
printf '%s\n' "$late" >"$TMP/late"
expect 0 slotctl contact "$TMP/late" --as crm
placement=$(sed -n 's/^ *placement \([0-9a-f]\{32\}\)$/\1/p' <<<"$OUT" | head -n 1)
if [ -n "$placement" ]; then
    sleep 4  # the line is free again after three seconds
    expect 2 slotctl event "$placement" delivered --as crm
    case $OUT in *late* | *already_ended*) ;; *) fail "a late delivery was not called late: $OUT" ;; esac
else
    fail "nobody won the slot of the waiting caller"
fi

say "certificates of nobody, of another role, revoked"
cp "$M/tls/touchpoint.crm.crt" "$M/tls/seat.crm.crt"
cp "$M/tls/touchpoint.crm.key" "$M/tls/seat.crm.key"
expect 2 slotctl bid list --as crm
said wrong_role
(
    cd "$M/tls"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=grill_house \
        -keyout seat.stranger.key -out stranger.csr
    openssl x509 -req -in stranger.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -out seat.stranger.crt
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=grill_house -days 1 \
        -keyout seat.forger.key -out seat.forger.crt
) >/dev/null 2>&1
expect 3 slotctl bid list --as stranger
said unknown_certificate
expect 3 slotctl bid list --as forger
expect 0 slotctl cert revoke seat.reading_room
revoked() { ! slotctl bid list --as reading_room; }
wait_for 10 revoked
expect 3 slotctl bid list --as reading_room
said revoked

say "hostile bytes"
port=$(status_of port)
hostile() {
    printf "$1" | timeout 10 openssl s_client -quiet -connect "127.0.0.1:$port" -CAfile "$M/tls/ca.crt" \
        -cert "$M/tls/touchpoint.crm.crt" -key "$M/tls/touchpoint.crm.key" 2>/dev/null | tr -c '[:print:]' ' ' || true
}
memory() { awk '/VmHWM/ { print $2 }' "/proc/$(cut -d' ' -f1 "$M/run/auctiond.process")/status"; }
before=$(memory)
for bytes in '\335\100\000\000\000' '\306\100\000\000\000' '\337\377\377\377\377' '\224\000\001\333\100\000\000\000' \
    '\301' '\001' '\221\221\221\221\221\221\221\221\221\221\221\001' '\224\000\001\245hello\221\201\245hello'; do
    said_back=$(hostile "$bytes")
    case $bytes in
    *hello) ;;  # cut off by the end: never received
    *) case $said_back in *refused*) ;; *) fail "no refusal of $bytes: $said_back" ;; esac ;;
    esac
done
[ $(($(memory) - before)) -lt 20000 ] || fail "hostile lengths took memory: $before then $(memory) kB"

say "a market file with forty mistakes"
expect 0 slotctl status
version=$(status_of catalog_version)
expect 2 slotctl apply tests/market/forty_mistakes.yaml
mistakes=$(grep -c 'forty_mistakes.yaml:[0-9]*:[0-9]*:' <<<"$OUT")
[ "$mistakes" = 40 ] || { printf '%s\n' "$OUT"; fail "$mistakes mistakes were named, not forty"; }
sleep 0.5
[ "$(status_of catalog_version)" = "$version" ] || fail "a wrong market file changed the market"

say "wrong settings"
cp "$M/vendue.yaml" "$TMP/vendue.yaml"
printf 'lisetn:\n  port: 1\n' >>"$M/vendue.yaml"
expect 2 slotctl status
said "vendue.yaml:"
cp "$TMP/vendue.yaml" "$M/vendue.yaml"

say "and the market goes on"
expect 0 slotctl contact "$TMP/good" --as bill_run
clean
