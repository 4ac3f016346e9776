#!/usr/bin/env bash
# Words: nothing unfinished, no place of one machine, no floating point near money, no pictures for letters.
source "$(dirname "$0")/rules.sh"
mapfile -t texts < <(files '*.c' '*.h' '*.sh' '*.sql' '*.md' '*.yaml' '*.txt' '*.js' '*.cmake' dev .ci/run |
    grep -v '^tests/rules/words_test.sh$')

grep -nE '\b(TODO|FIXME|HACK)\b|\bXXX[: ]' "${texts[@]}" | breach unfinished || true
# Places that exist on one machine only. /tmp and what Debian installs are everywhere.
grep -nE '(^|[^A-Za-z0-9_.])/(work|home|root|Users|mnt|opt/[a-z]+)/' "${texts[@]}" | breach machine-path || true
LC_ALL=C.UTF-8 grep -nP '[\x{1F300}-\x{1FAFF}\x{2600}-\x{26FF}\x{2705}\x{274C}]' "${texts[@]}" | breach picture || true

# Money and decisions know integers only. Comments and texts may speak of floats. Two exceptions: the models of
# attribution on path tables (shares and weights, no amounts), and places on a page, which its library wants so.
mapfile -t exact < <(product | grep -E '^(auction|ledger|market)/|^base/money|^include/' |
    grep -Ev '^(ledger/path(_[a-z]+)?\.[ch]|include/path\.h|ledger/statement_pdf\.c)$')
awk '{ line = $0; gsub(/"([^"\\]|\\.)*"/, "", line); sub(/\/\/.*/, "", line)
       if (line ~ /(^|[^A-Za-z0-9_])(float|double|strtod|strtof|atof|lround|floor|ceil)([^A-Za-z0-9_]|$)/ &&
           line !~ /[.>]floor|floor[^(]*[;,=)]|floor$|(^|[^A-Za-z0-9_])floor[^(]/)
           printf "%s:%d: floating point: %s\n", FILENAME, FNR, $0 }' "${exact[@]}" | breach float

# What a document points at is there.
for document in $(files '*.md'); do
    { grep -noE '\]\([^):]+\)' "$document" || true; } | sed 's/](//; s/)$//' | while IFS=: read -r line target; do
        file=${target%%#*}
        [ -z "$file" ] || [ -e "$(dirname "$document")/$file" ] ||
            printf '%s:%s: there is no %s\n' "$document" "$line" "$file"
    done
done | breach dead-link

# Scripts parse, and those that are run may be run.
for script in $(files '*.sh' dev .ci/run); do
    bash -n "$script" 2>&1 | sed "s|^|$script:1: |"
done | breach script
for script in dev .ci/run; do
    [ -x "$script" ] || printf '%s:1: is not executable\n' "$script"
done | breach executable
finish
