# Shared by the flows: a market of its own in a temporary directory, stopped and removed at the end whatever
# happens; its logs are shown when the flow fails. Run by ctest with BIN set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BIN=${BIN:-$PWD/build/bin}
SLOTCTL=$BIN/slotctl
TMP=$(mktemp -d /tmp/vendue-flow.XXXXXX)
chmod 755 "$TMP"  # root's private PostgreSQL runs as another user
MARKETS=()

flow_end() {
    local code=$? market log
    for market in "${MARKETS[@]}"; do
        [ -e "$market/vendue.yaml" ] || continue
        "$SLOTCTL" --dir "$market" down >/dev/null 2>&1 || true
        if [ "$code" != 0 ]; then
            for log in "$market"/log/*.log; do
                printf -- '--- %s\n' "$log"
                tail -n 15 "$log"
            done
        fi
    done
    rm -rf "$TMP"
    [ "$code" = 0 ] && printf 'flow: ok\n'
    exit "$code"
}
trap flow_end EXIT

say() { printf 'flow: %s\n' "$*"; }
fail() { printf 'flow: FAILED: %s\n' "$*" >&2; exit 1; }

# new_market NAME: made, up, the sample market live. $M names it from now on.
new_market() {
    M=$TMP/$1
    MARKETS+=("$M")
    "$SLOTCTL" init "$M" --port 0 >/dev/null
    "$SLOTCTL" --dir "$M" up >/dev/null
    "$SLOTCTL" --dir "$M" apply sample/market.yaml >/dev/null
}

slotctl() { "$SLOTCTL" --dir "$M" "$@"; }

# expect CODE COMMAND...: the command ends with this exit code; its output is in $OUT.
expect() {
    local wanted=$1 code=0
    shift
    OUT=$("$@" 2>&1) || code=$?
    [ "$code" = "$wanted" ] || { printf '%s\n' "$OUT"; fail "exit code $code instead of $wanted: $*"; }
}
# said TEXT: the last expected command said it.
said() { case $OUT in *"$1"*) ;; *) printf '%s\n' "$OUT"; fail "it did not say: $1" ;; esac; }

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "waited in vain for: $*"
        sleep 0.1
    done
}

# A member of `status --json`.
status_of() { { slotctl status --json || true; } | sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p"; }
booked() { [ "$(status_of lag)" = 0 ]; }
clean() {
    wait_for 30 booked
    expect 0 slotctl verify
    said "verify: ok transfers="
    said "unexplained_micros=0"
}
