#!/usr/bin/env bash
# Measures, each figure beside its bare limit: the auction's core, live bidders, the journal, the whole path
# over TLS, the books and the close of a month, a model of attribution.
# `./dev bench` builds and calls it.
#   bench/run.sh [--json] [--quick] [--directory DIR] [--transfers N]
# DIR: where journals are written; it should lie on the disk that will hold them (default $TMPDIR or /tmp).
# --transfers N: of the month that is booked and closed; given, the books alone are measured (10000000 takes a while
# and 20 GB in the temporary directory).
# --quick: one round of everything, to see that it runs; its figures mean nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

programs=${BUILD:-build}/bench
directory=${TMPDIR:-/tmp}
json=() quick=() sizes=() month=() only_books= paths=1000000
while [ $# -gt 0 ]; do
    case $1 in
    --json) json=(--json) ;;
    --quick) quick=(--pairs 1 --seconds 0.2) sizes=(--bids 10000) month=(--transfers 20000) paths=20000 ;;
    --transfers) month=(--transfers "${2:?--transfers takes a number}"); only_books=1; shift ;;
    --directory) directory=${2:?--directory takes a directory}; shift ;;
    *) printf 'bench: unknown option %s; see bench/run.sh\n' "$1" >&2; exit 2 ;;
    esac
    shift
done

# Titles and notes are for people; JSON lines are for programs.
title() { [ ${#json[@]} -gt 0 ] || printf '\n== %s\n\n' "$*"; }

[ ${#json[@]} -gt 0 ] || printf '%s processors, Linux %s, %s, load %s; journals in %s (%s)\n' "$(nproc)" \
    "$(uname -r)" "$(openssl version | cut -d' ' -f1,2)" "$(cut -d' ' -f1 /proc/loadavg)" "$directory" \
    "$(stat -f -c %T "$directory")"

# A million customers' paths through the Markov model, beside awk adding up one column of the same file.
attribution() {
    local file begin read_by took
    file=$(mktemp "$directory/paths-XXXXXX")
    awk -v paths="$paths" 'BEGIN {
        srand(7)
        print "path,conversions,nulls,value"
        for (i = 0; i < paths; i++) {
            path = "t" int(rand() * rand() * 200)
            for (k = 1 + int(rand() * rand() * 20); k > 1; k--) path = path " > t" int(rand() * rand() * 200)
            sold = rand() < 0.1
            print path "," sold "," 1 - sold "," 20 * sold
        }
    }' >"$file"
    begin=$(date +%s%N)
    awk -F, '{ sum += $2 } END { print sum }' "$file" >/dev/null
    read_by=$((($(date +%s%N) - begin) / 1000000))
    begin=$(date +%s%N)
    "${BUILD:-build}/bin/slotctl" attribute --model markov --paths "$file" >/dev/null || return 1
    took=$((($(date +%s%N) - begin) / 1000000))
    rm -f "$file"
    if [ ${#json[@]} -gt 0 ]; then
        printf '{"bench": "attribution", "name": "markov", "paths": %s, "took_ms": %s, "awk_ms": %s}\n' \
            "$paths" "$took" "$read_by"
    else
        printf '%s paths: %s ms; awk reads them in %s ms\n' "$paths" "$took" "$read_by"
    fi
}

status=0
if [ -n "$only_books" ]; then
    title 'Books: facts into transfers, beside COPY of the same rows; a month closed, beside one scan of it'
    exec "$programs/bench_books" "${json[@]}" "${month[@]}"
fi
if [ -x "$programs/bench_core" ]; then
    title 'Auction: winner and price of a slot, beside the exhaustive search and bare memory'
    "$programs/bench_core" "${json[@]}" "${sizes[@]}" || status=1
fi
if [ -x "$programs/bench_live" ] && [ ${#json[@]} -eq 0 ]; then
    title 'Live bidders: one hundred of them, thirty hang; the answer beside tmax'
    "$programs/bench_live" ${quick:+60} || status=1
fi
title 'Journal: append and sync, beside bare pwrite and fdatasync'
"$programs/bench_limits" "${json[@]}" "${quick[@]}" --directory "$directory" || status=1
title 'Whole path: contacts over TLS with durable answers, beside bare and deciding echoes'
"$programs/bench_load" "${json[@]}" "${quick[@]}" --directory "$directory" || status=1
title 'Books: facts into transfers, beside COPY of the same rows; a month closed, beside one scan of it'
"$programs/bench_books" "${json[@]}" "${month[@]}" || status=1
title 'Attribution: paths through the Markov model, at most ten seconds for a million'
attribution || status=1
exit $status
