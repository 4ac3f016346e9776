#!/usr/bin/env bash
# Shape: functions up to 70 lines, files up to 600, headers up to 200, 100 columns; every file says what it is.
source "$(dirname "$0")/rules.sh"

# A function's body runs from a line "{" to the next line "}" (or "};" of a table, which is no function).
functions() {
    awk -v most="$1" '
        FNR == 1 { start = 0 }
        /^\{[ \t]*$/ { start = FNR; next }
        /^\}/ { if (start && FNR - start + 1 > most)
                    printf "%s:%d: function of %d lines, at most %d\n", FILENAME, start, FNR - start + 1, most
                start = 0 }' "${@:2}"
}
mapfile -t all < <(files '*.c' '*.h')
mapfile -t ours < <(product)
functions 70 "${ours[@]}" | breach function-length

for file in "${ours[@]}"; do
    case $file in
    *.h) most=200 ;;
    *) most=600 ;;
    esac
    lines=$(wc -l <"$file")
    [ "$lines" -le "$most" ] || printf '%s:%s: %s lines, at most %s\n' "$file" "$lines" "$lines" "$most"
done | breach file-length

# Characters, not bytes.
LC_ALL=C.UTF-8 awk 'length($0) > 100 { printf "%s:%d: %d columns, at most 100\n", FILENAME, FNR, length($0) }
    /\t/ { printf "%s:%d: a tab; indent with four spaces\n", FILENAME, FNR }
    /[ \t]$/ { printf "%s:%d: blanks at the end of the line\n", FILENAME, FNR }' "${all[@]}" | breach columns

for file in "${ours[@]}"; do
    head -c 2 "$file" | grep -q '^//' || printf '%s:1: begins without a comment that says what it is\n' "$file"
done | breach head-comment
for file in include/*.h; do
    grep -q '^#ifndef VENDUE_[A-Z_]*_H$' "$file" || printf '%s:1: no include guard VENDUE_..._H\n' "$file"
done | breach include-guard
finish
