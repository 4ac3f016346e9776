#!/usr/bin/env bash
# Walls: which room may include which, and which libraries appear where.
source "$(dirname "$0")/rules.sh"

# Words and tools that are of no room above the ground floor: types and constants.
WORDS=" bounds terms reason contact fact fact_kind market market_contract market_rules settings "

# The room of a public header is that of the .c of the same name.
room_of_header() {
    local room
    case $WORDS in *" $1 "*) echo base; return ;; esac
    [ "$1" = journal ] && { echo journal; return; }
    [ "$1" = catalog_parts ] && { echo auction; return; }
    for room in $ROOMS; do
        if [ -e "$room/$1.c" ]; then echo "$room"; return; fi
    done
    # A header of several files: NAME.h is of the room that has NAME_*.c.
    for room in $ROOMS; do
        if compgen -G "$room/$1_*.c" >/dev/null; then echo "$room"; return; fi
    done
    echo unknown
}
room_of_file() {
    case $1 in
    ledger/journal*) echo journal ;;
    include/*) room_of_header "$(basename "$1" .h)" ;;
    *) echo "${1%%/*}" ;;
    esac
}
may() {
    case $1 in
    base) echo "base" ;;
    auction) echo "auction base" ;;
    partners) echo "partners base" ;;
    journal) echo "journal base" ;;
    market) echo "market auction base" ;;
    ledger) echo "ledger journal market auction base" ;;
    engine) echo "engine partners auction journal base" ;;
    console) echo "console ledger market auction partners journal base" ;;
    esac
}

while read -r file; do
    room=$(room_of_file "$file")
    case $room in unknown) printf '%s:1: a public header of no room: no room has a file of its name\n' "$file"; continue ;; esac
    { grep -nE '^#include "' "$file" || true; } | while IFS=: read -r line text; do
        header=$(sed 's/.*"\(.*\)".*/\1/' <<<"$text")
        case $header in
        */*) printf '%s:%s: includes %s by path; only include/ and the own folder are seen\n' "$file" "$line" "$header" ;;
        *)  [ -e "$(dirname "$file")/$header" ] && [ "$(dirname "$file")" != include ] && continue
            [ -e "include/$header" ] || { printf '%s:%s: there is no %s\n' "$file" "$line" "$header"; continue; }
            other=$(room_of_header "${header%.h}")
            # settings.h holds the sizes of the book, and market.h the types of rules: words of both floors.
            case "$file $header" in "include/settings.h book.h" | "include/market.h expr.h" | "include/book.h catalog.h") continue ;; esac
            case " $(may "$room") " in
            *" $other "*) ;;
            *) printf '%s:%s: %s may not know %s (of %s)\n' "$file" "$line" "$room" "$header" "$other" ;;
            esac ;;
        esac
    done
done < <(product) | breach walls

# A header is public only if another room includes it, or a public header needs it.
for header in include/*.h; do
    name=$(basename "$header")
    home=$(room_of_header "${name%.h}")
    users=$(grep -lE "^#include \"$name\"" $(product) $(files 'tests/*.c' 'bench/*.c') | grep -v "^$header$" |
        while read -r user; do room_of_file "$user"; done | grep -cvx "$home" || true)
    [ "$users" -gt 0 ] || grep -qE "^#include \"$name\"" include/*.h ||
        printf '%s:1: no other room includes it; it belongs into %s/\n' "$header" "$home"
done | breach public

# Libraries at their one place.
only() {
    local rule=$1 pattern=$2 allowed=$3
    grep -nE "^#include <($pattern)" $(product) | grep -Ev "^($allowed):" |
        sed 's/\(^[^:]*:[0-9]*:\) *\(.*\)/\1 \2 is not for this file/' | breach "$rule" || true
}
only libpq 'libpq-fe\.h|postgres' 'ledger/(db|param)\.[ch]'
only openssl 'openssl/' 'base/hash\.c|console/authority\.c|partners/[a-z]+\.[ch]'
only msgpack 'msgpack' 'partners/[a-z]+\.[ch]'
only libevent 'event2?/|event\.h' 'partners/[a-z_]+\.[ch]|engine/[a-z_]+\.[ch]'
only threads 'pthread\.h|threads\.h|stdatomic\.h' 'engine/[a-z_]+\.[ch]|ledger/journal[a-z_]*\.[ch]'
finish
