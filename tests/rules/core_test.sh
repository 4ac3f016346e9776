#!/usr/bin/env bash
# The built programs: auctiond reaches no database, the auction core reaches nothing at all.
source "$(dirname "$0")/rules.sh"

if [ -x "$BIN/auctiond" ]; then
    ldd "$BIN/auctiond" | grep -E 'libpq|libjansson|libyaml-cpp' | sed 's|^[ \t]*|auctiond:1: links |' | breach no-database || true
    if nm "$BIN/auctiond" | grep -q ' [Uu] PQ'; then echo "auctiond:1: calls libpq" | breach no-database; fi
else
    echo "$BIN/auctiond:1: is not built" | breach built
fi

# What the core may not reach: memory, clock, I/O, environment, threads, chance, floating point.
[ -e "$BUILD/libauction.a" ] || echo "$BUILD/libauction.a:1: is not built" | breach built
forbidden='malloc|calloc|realloc|reallocarray|free|mmap|brk|strdup|asprintf|vasprintf'
forbidden+='|clock_gettime|time|gettimeofday|clock|nanosleep|usleep'
forbidden+='|printf|fprintf|vprintf|vfprintf|dprintf|puts|putchar|fputs|fopen|fread|fwrite|open|read|write|close|socket|send|recv|perror|syslog'
forbidden+='|getenv|system|fork|exec.*|pthread_.*|rand|random|getrandom|srand|drand48|qsort|setlocale|strtod|strtof'
forbidden+='|sqrtf?|powf?|expf?|exp2|log|log10|log2|lround|floor|ceil|__[a-z]*[sdt]f[0-9]*|clock_wall|clock_monotonic|log_(open|info|warn|error)'
nm -A -u "$BUILD/libauction.a" 2>/dev/null |
    awk -v bad="^_*(${forbidden})(@.*)?(_chk)?$" '{ name = $NF; split($1, at, ":"); if (name ~ bad) printf "auction/%s:1: reaches %s\n", at[2], name }' |
    sed 's/\.c\.o:/.c:/' | breach pure

# No state outside what callers hand over: no writable data (tables of pointers are read-only after linking).
objdump -t "$BUILD/libauction.a" 2>/dev/null |
    awk '/file format/ { member = $1; sub(/\.o:$/, "", member) }
         $3 == "O" && $4 ~ /^\.(data|bss|tdata|tbss)/ && $4 !~ /^\.data\.rel\.ro/ {
             printf "auction/%s:1: keeps %s, a variable that is not constant\n", member, $NF }' | breach no-globals
finish
