#!/usr/bin/env bash
# Every table and view that a migration makes, and no later one drops, has a comment in the database that says what one
# row of it is; so has every column of the open schema (tests/ledger/schema_test.c asks the database itself).
source "$(dirname "$0")/rules.sh"

sql=$(cat migrations/*.sql | sed 's/--.*//' | tr '\n' ' ')
names() { grep -oiE "$1 [a-z_.]+" <<<"$sql" | awk '{ print $NF }' | sort -u; }
made=$(names '(create table|create view|create or replace view)( if not exists)?')
dropped=$(names 'rename to')
said=$(names 'comment on (table|view)')
while read -r name; do
    grep -qx "$name" <<<"$said" || grep -qx "$name" <<<"$dropped" || grep -rnwlE "(table|view) $name" migrations/*.sql |
        head -1 | sed "s|\$|: $name has no comment; say what one row of it is|" | breach comments
done < <(grep -v '\.$' <<<"$made")  # not: partitions made by a name that is put together
finish
