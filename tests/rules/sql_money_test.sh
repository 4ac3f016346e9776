#!/bin/bash
# No floating point near money: neither in the schema nor in the SQL of the programs nor in the files that
# handle amounts.
set -u
cd "$(dirname "$0")/../.." || exit 1
found=$(grep -nEiw 'float|float4|float8|real|double precision|money|to_char|avg' migrations/*.sql | grep -vE ':[[:space:]]*--' |
    sed 's/--.*//' | grep -Eiw 'float|float4|float8|real|double precision|money|to_char|avg')
[ -n "$found" ] && { echo "floating point or rounding in migrations:"; echo "$found"; exit 1; }
found=$(grep -nEw 'float|double|strtod|atof|%f|%g' base/money.c ledger/*.c ledger/*.h console/verb_{close,deposit,export,report,split,statement,verify}.c include/money.h |
    grep -vE '^ledger/(path(_[a-z]+)?\.[ch]|statement_pdf\.c):|:[0-9]+:[[:space:]]*(//|\*)' | sed 's@//.*@@' | grep -Ew 'float|double|strtod|atof|%f|%g')
[ -n "$found" ] && { echo "floating point in C near money:"; echo "$found"; exit 1; }
echo "no floating point near money"
