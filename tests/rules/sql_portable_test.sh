#!/bin/bash
# The ledger's SQL keeps to what PostgreSQL-compatible distributed engines know too (docs/ledger.md, "Tables"): no
# triggers, rules, sequences, advisory locks, LOCK TABLE, LISTEN and NOTIFY, inheritance, exclusion or deferrable
# constraints, no physical row names; rows are added and read, and changed or deleted in few named tables only.
source "$(dirname "${BASH_SOURCE[0]}")/rules.sh"

# Migrations without comments, and the string literals of the product's C, as FILE:LINE:text.
sql() {
    files 'migrations/*.sql' | while read -r file; do sed 's/--.*//' "$file" | grep -nH --label="$file" '[^ ]'; done
    files '*.c' | grep -E '^(ledger|console|engine|market)/' | while read -r file; do
        { grep -nHE '"' "$file" || true; } | sed -E 's@^([^:]*:[0-9]+:)[^"]*@\1@; s@//.*@@'
    done
}
text=$(mktemp)
trap 'rm -f "$breaches" "$text"' EXIT
sql >"$text"
[ "$(wc -l <"$text")" -gt 1000 ] || { echo "found too little SQL to judge"; exit 1; }

forbid() { # pattern what
    { grep -iE ":[0-9]+:.*($1)" "$text" || true; } | breach "$2"
}
forbid '\bcreate (constraint |or replace )*trigger\b|\bexecute (function|procedure)\b' 'a trigger'
forbid '\bcreate (or replace )?rule\b' 'a rule'
forbid '\bpg_(try_)?advisory' 'an advisory lock'
forbid '\block table\b' 'LOCK TABLE'
forbid '\b(create|alter) sequence\b|\bnextval *\(|\b(big|small)?serial\b|\bas identity\b' 'a sequence'
forbid '"(un)?listen |"notify |\bpg_notify\b|\b((un)?listen|notify) [a-z_]+( *,[^;]*)?;' 'LISTEN or NOTIFY'
forbid '\binherits *\(' 'inheritance'
forbid '\bexclude using\b' 'an exclusion constraint'
forbid '\bdeferrable\b|\binitially deferred\b|\bset constraints\b' 'a deferrable constraint'
forbid '\b(ctid|xmin|xmax|tableoid)\b' 'a physical name of a row'
forbid '\bcreate extension\b|\bunlogged\b|\bcreate materialized view\b' 'not in every engine'

# What may change: positions, gates, what was granted, and lists of work and caches that are made of rows and proven
# against them.
may_update='watermark|period_gate|spend_lock|spend_grant|act_gate|life_due|order_turn'
may_delete='fold|count_fold|life_todo|life_due|open_hold'
statements() { # verb: FILE:LINE:table of each statement that begins so
    { grep -oiE "^[^:]*:[0-9]+:|[\"(;:]?[[:space:]]*\\b$1 (vendue\.)?[a-z_]+" "$text" || true; } |
        awk -v verb="$1" '
            /^[^ ]*:[0-9]+:$/ { place = $0; next }
            { table = $NF; sub(/^vendue\./, "", table); print place table }'
}
statements 'delete from' | { grep -vE ":($may_delete)$" || true; } | breach 'rows deleted from another table'
{ grep -iE '\bupdate (vendue\.)?[a-z_]+ set\b' "$text" || true; } |
    { grep -viE "\bupdate (vendue\.)?($may_update) set\b" || true; } | breach 'rows changed in another table'
{ grep -iE '\btruncate (table )?(vendue\.)?[a-z_]+' "$text" | grep -E '"|:[[:space:]]*truncate' | grep -viE '%|truncated' || true; } |
    breach 'TRUNCATE'
finish
