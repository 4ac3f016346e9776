#!/usr/bin/env bash
# A journal without room: nothing is sold and said to be durable, the market stays up, and sells again when
# there is room. The journal lies on a small file system of its own, which only root can make.
source "$(dirname "$0")/flow.sh"
disk=
unmount() { [ -z "$disk" ] || umount "$disk" || true; }
trap 'code=$?; "$SLOTCTL" --dir "$TMP/full" down >/dev/null 2>&1 || true; unmount; (exit $code); flow_end' EXIT

mkdir "$TMP/disk"
if ! mount -t tmpfs -o size=6m,mode=0700 tmpfs "$TMP/disk" 2>/dev/null; then
    say "skipped: no file system can be mounted here"
    exit 0
fi
disk=$TMP/disk

M=$TMP/full
MARKETS+=("$M")
"$SLOTCTL" init "$M" --port 0 >/dev/null
printf 'journal:\n  segment: 1 MiB\n' >>"$M/vendue.yaml"
rmdir "$M/journal"
ln -s "$disk" "$M/journal"
"$SLOTCTL" --dir "$M" up >/dev/null
slotctl apply sample/market.yaml >/dev/null
slotctl play --bids sample/bids.jsonl >/dev/null
slotctl cert issue touchpoint crm >/dev/null
head -n 1 sample/contacts.jsonl >"$TMP/first"
wait_for 10 slotctl contact "$TMP/first" --as crm

say "the disk fills up"
head -c 6M /dev/zero >"$disk/filler" 2>/dev/null || true
# Segments prepared before still take what fits: go on until it is refused.
refused() {
    number=$((number + 1))
    sed "s/\"id\": *\"call-[0-9]*\"/\"id\": \"fill-$number-{}\"/" "$TMP/first" >"$TMP/line"
    for copy in $(seq 400); do sed "s/{}/$copy/" "$TMP/line"; done >"$TMP/many"
    slotctl contact "$TMP/many" --as crm --json >"$TMP/answers" || true
    grep -q '"journal_full"' "$TMP/answers"
}
number=0
wait_for 120 refused
full() { slotctl status | grep -q 'nothing is sold: the journal has no room'; }
wait_for 5 full
expect 0 slotctl status
say "refused with journal_full after $(status_of durable_batch) batches"

say "and there is room again"
rm "$disk/filler"
wait_for 20 slotctl contact "$TMP/first" --as crm
sed 's/"id": *"call-[0-9]*"/"id": "after-1"/' "$TMP/first" >"$TMP/after"
answered() { slotctl contact "$TMP/after" --as crm --json | grep -q '"placements"'; }
wait_for 20 answered
room() { slotctl status | grep -q 'the market is open'; }
wait_for 5 room
clean
