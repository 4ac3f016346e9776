#!/usr/bin/env bash
# What `slotctl dry-run` says of files is what the market does with them: same winners, prices, who set them, and the
# same reasons for what stays empty. Once for the sample and some hundred contacts more, once for random contacts of a
# market with prices of three kinds, campaigns, caps, floors and deals, once for a small market in
# which every rule of a single slot decides something, and whose outcome stands below.
. "$(dirname "$0")/flow.sh"
SEED=${VENDUE_SEED:-$RANDOM}
RANDOM=$SEED
. tests/flow/rich.sh

# One line a slot, of what dry-run printed and of what the ledger booked.
cat >"$TMP/views.sql" <<'END'
create temp table printed (contact jsonb);
create function pg_temp.micros(text) returns bigint language sql as $$ select ($1::numeric * 1000000)::bigint $$;
create temp view dry as
    select contact->>'id' as contact, p->>'tagid' as tagid,
           concat_ws(' ', p->>'seat', p->>'message', 'rung=' || (p->>'rung'),
                     (select string_agg(o, '+' order by o) from jsonb_array_elements_text(p->'objectives') o),
                     'bid=' || (p->>'bid'), pg_temp.micros(p->>'bid_price'),
                     'floor=' || pg_temp.micros(p->>'floor'), 'price=' || pg_temp.micros(p->>'price'), 'by',
                     coalesce(p#>>'{set,seat}' || '/' || (p#>>'{set,bid}'), 'floor')) as what
    from printed, jsonb_array_elements(contact->'placements') p
    union all
    select contact->>'id', u->>'tagid', concat_ws(' ', 'empty', u->>'reason', u->>'main_reason')
    from printed, jsonb_array_elements(contact->'unfilled') u;
create temp view judged as
    select contact->>'id' as contact, b->>'tagid' as tagid, concat_ws(' ', (b->>'seat') || '/' || (b->>'bid'), b->>'reason') as what
    from printed, jsonb_array_elements(contact->'bids') b where contact->>'id' in ('c1', 'c4', 'c5', 'c6');
create temp view name as
    select distinct on (kind, id) kind, id, code from vendue.market_object order by kind, id, version desc;
create temp view bid as
    select distinct b.bid, b.key, n.code as seat
    from vendue.bid_change b join name n on n.kind = 'seat' and n.id = b.seat;
create temp view node as
    select c.key as contact, slot.code as tagid,
           case when o.filled then
               concat_ws(' ', seat.code, message.code, 'rung=' || (o.rung + 1),
                         (select string_agg(n.name, '+' order by n.name) from vendue.objective_name n
                          where o.objectives & n.bit > 0),
                         'bid=' || b.key, o.bid_micros, 'floor=' || o.floor_micros, 'price=' || o.price_micros, 'by',
                         coalesce(setter.seat || '/' || setter.key, 'floor'))
           else concat_ws(' ', 'empty', o.reason, o.main_reason) end as what
    from vendue.outcome o join vendue.contact c using (contact_id)
    join name slot on slot.kind = 'slot' and slot.id = o.slot
    left join name seat on seat.kind = 'seat' and seat.id = o.seat
    left join name message on message.kind = 'message' and message.id = o.message
    left join bid b on b.bid = o.bid
    left join bid setter on setter.bid = o.setter;
END

# same FILE: dry-run of $TMP/bids and $TMP/contacts with this market file, and what the market booked, are the same.
same() {
    local database lines
    database=$(cat "$M/run/postgres.owner")
    expect 0 "$SLOTCTL" dry-run --market "$1" --bids "$TMP/bids" --contacts "$TMP/contacts"
    printf '%s\n' "$OUT" >"$TMP/dry"
    for side in dry node judged; do
        psql -qAtX -v ON_ERROR_STOP=1 "$database" -f "$TMP/views.sql" \
            -c "\\copy printed from '$TMP/dry' with (format csv, quote e'\\x01', delimiter e'\\x02')" \
            -c "select contact, tagid, what from $side order by contact collate \"C\", tagid collate \"C\", what collate \"C\"" \
            >"$TMP/outcome.$side"
    done
    lines=$(wc -l <"$TMP/outcome.dry")
    [ "$lines" -ge 20 ] || fail "only $lines outcomes"
    diff "$TMP/outcome.dry" "$TMP/outcome.node" >"$TMP/difference" ||
        { head -n 20 "$TMP/difference"; fail "dry-run (<) and market (>) differ, seed $SEED"; }
    say "$lines outcomes are the same, $(grep -vc '|empty' "$TMP/outcome.dry") of them sold"
}

say "the sample, and more of its kind (seed $SEED)"
# Which arm of a trial of floors a contact takes is drawn by its id, which is another one here.
sed '/^experiments:/,/^$/d' sample/market.yaml >"$TMP/sample.yaml"
new_market sample
slotctl apply "$TMP/sample.yaml" >/dev/null
expect 0 "$SLOTCTL" sample --contacts 200 --seed "$SEED" --out "$TMP/more"
cat sample/contacts.jsonl "$TMP/more/contacts.jsonl" >"$TMP/contacts"
cp sample/bids.jsonl "$TMP/bids"
expect 0 slotctl play --bids "$TMP/bids" --contacts "$TMP/contacts" --quiet
same "$TMP/sample.yaml"
clean

say "prices of three kinds, campaigns, caps, floors, deals (seed $SEED)"
# How much of a paced budget may be spent depends on the second, and the two decide at different ones. Where slots are
# sold together, equally good ways to sell are drawn among by the contact's id, which is another one here.
sed 's/, pacing: even//' tests/flow/rich.yaml >"$TMP/rich.yaml"
M=$TMP/rich
MARKETS+=("$M")
"$SLOTCTL" init "$M" --port 0 >/dev/null
slotctl up >/dev/null
slotctl apply "$TMP/rich.yaml" >/dev/null
cp "$TMP/rich.bids" "$TMP/bids"
rich_contacts 80 rich page >"$TMP/contacts"
expect 0 slotctl play --bids "$TMP/bids" --contacts "$TMP/contacts" --quiet
same "$TMP/rich.yaml"
clean

say "every rule of the auction"
cat >"$TMP/small.yaml" <<'END'
market: {code: small, currency: EUR, channels: [web], stages: [shop]}
attributes:
  age: {type: integer, of: customer, consent: profiling, range: [0, 120]}
touchpoints: {shop: Shop}
seats:
  house: {name: House, kind: department}
  tea: {name: Tea, kind: partner, budget: 2.40}
  mate: {name: Mate, kind: partner}
  chai: {name: Chai, kind: partner, budget: 1.499999}
  cola: {name: Cola, kind: partner}
containers:
  page:
    stage: shop
    channel: web
    owner: house
    slots:
      top: {floor: 0.50, rungs: [6-8], objectives: [cross_sell]}
      side: {floor: 0.20, rungs: [6-8], objectives: [educate], rule: age >= 18}
      help: {rungs: [1-5], objectives: fulfill}
  even:
    stage: shop
    channel: web
    owner: house
    slots:
      slot: {floor: 0.10, rungs: [6-8], objectives: [refer]}
messages:
  tea.green: {seat: tea, rung: 6, objectives: cross_sell, format: text, content: "c:1"}
  tea.black: {seat: tea, rung: 6, objectives: cross_sell, format: text, content: "c:2"}
  mate.cup: {seat: mate, rung: 6, objectives: cross_sell, format: text, content: "c:3"}
  mate.guide: {seat: mate, rung: 6, objectives: educate, format: text, content: "c:4", cap: 1 in 30d}
  chai.pot: {seat: chai, rung: 6, objectives: cross_sell, format: text, content: "c:5"}
  cola.can: {seat: cola, rung: 6, objectives: [cross_sell], format: text, content: "c:6"}
  mate.friend: {seat: mate, rung: 6, objectives: refer, format: text, content: "c:7"}
  cola.friend: {seat: cola, rung: 6, objectives: refer, format: text, content: "c:8"}
  house.repair: {seat: house, rung: 1, objectives: fulfill, format: text, content: "c:9"}
contracts:
  house.1: {seat: house, from: 2020-01-01}
  tea.1: {seat: tea, from: 2020-01-01}
  mate.1: {seat: mate, from: 2020-01-01}
  chai.1: {seat: chai, from: 2020-01-01}
  cola.1: {seat: cola, from: 2020-01-01}
END
# Tea's two bids, mate sets the price; chai cannot pay its own bid by a micro; cola is paused, too late, too early.
cat >"$TMP/bids" <<'END'
{"seat": "tea", "id": "green", "message": "tea.green", "price_micros": 1000000, "cur": "EUR"}
{"seat": "tea", "id": "black", "message": "tea.black", "price_micros": 900000, "cur": "EUR", "tagid": "page.top"}
{"seat": "mate", "id": "cup", "message": "mate.cup", "price_micros": 700000, "cur": "EUR"}
{"seat": "mate", "id": "guide", "message": "mate.guide", "price_micros": 200000, "cur": "EUR"}
{"seat": "chai", "id": "pot", "message": "chai.pot", "price_micros": 1500000, "cur": "EUR"}
{"seat": "cola", "id": "paused", "message": "cola.can", "price_micros": 5000000, "cur": "EUR", "paused": true}
{"seat": "cola", "id": "ended", "message": "cola.can", "price_micros": 6000000, "cur": "EUR", "until_us": 1600000000000000}
{"seat": "cola", "id": "later", "message": "cola.can", "price_micros": 7000000, "cur": "EUR", "from_us": 4000000000000000}
{"seat": "cola", "id": "low", "message": "cola.can", "price_micros": 499999, "cur": "EUR"}
{"seat": "cola", "id": "wrong-slot", "message": "cola.can", "price_micros": 8000000, "cur": "EUR", "tagid": "page.help"}
{"seat": "mate", "id": "friend", "message": "mate.friend", "price_micros": 800000, "cur": "EUR"}
{"seat": "cola", "id": "friend", "message": "cola.friend", "price_micros": 800000, "cur": "EUR"}
{"seat": "house", "id": "repair", "message": "house.repair", "price_micros": 10000, "cur": "EUR"}
END
customer() { # customer ID CONSENT CONDITION AGE
    printf '{"touchpoint": "shop", "id": "%s", "container": "page", "user": {"id": "%s", "identity": "repeat", "condition": "%s", "consent": [%s]}, "attr": {"age": %s}}\n' \
        "$1" "${5:-$1}" "$3" "$2" "$4"
}
{
    customer c1 '"third_party", "profiling"' calm 40
    customer c2 '"third_party", "profiling"' calm 40 c1  # c1 again: the guide's cap is reached
    customer c3 '"third_party", "profiling"' calm 17     # too young for the side
    customer c4 '"third_party"' calm 40                  # the age stays unknown; tea's budget is spent to the cent
    customer c5 '"profiling"' calm 40                    # nothing from third parties
    customer c6 '"third_party", "profiling"' distressed 40
    printf '{"touchpoint": "shop", "id": "c7", "container": "page", "imp": [{"tagid": "page.top"}]}\n'  # anonymous
} >"$TMP/contacts"
M=$TMP/small
MARKETS+=("$M")
"$SLOTCTL" init "$M" --port 0 >/dev/null
slotctl up >/dev/null
slotctl apply "$TMP/small.yaml" >/dev/null
expect 0 slotctl play --bids "$TMP/bids" --contacts "$TMP/contacts" --quiet
same "$TMP/small.yaml"
diff - "$TMP/outcome.node" <<'END' || fail "the auction (>) is not what the rules say (<)"
c1|page.help|house house.repair rung=1 fulfill bid=repair 10000 floor=0 price=0 by floor
c1|page.side|mate mate.guide rung=6 educate bid=guide 200000 floor=200000 price=200000 by floor
c1|page.top|tea tea.green rung=6 cross_sell bid=green 1000000 floor=500000 price=700000 by mate/cup
c2|page.help|house house.repair rung=1 fulfill bid=repair 10000 floor=0 price=0 by floor
c2|page.side|empty no_eligible_bid frequency_cap
c2|page.top|tea tea.green rung=6 cross_sell bid=green 1000000 floor=500000 price=700000 by mate/cup
c3|page.help|house house.repair rung=1 fulfill bid=repair 10000 floor=0 price=0 by floor
c3|page.side|empty no_eligible_bid not_eligible
c3|page.top|tea tea.green rung=6 cross_sell bid=green 1000000 floor=500000 price=700000 by mate/cup
c4|page.help|house house.repair rung=1 fulfill bid=repair 10000 floor=0 price=0 by floor
c4|page.side|empty no_eligible_bid not_eligible
c4|page.top|mate mate.cup rung=6 cross_sell bid=cup 700000 floor=500000 price=500000 by floor
c5|page.help|house house.repair rung=1 fulfill bid=repair 10000 floor=0 price=0 by floor
c5|page.side|empty no_eligible_bid consent
c5|page.top|empty no_eligible_bid not_valid_now
c6|page.help|house house.repair rung=1 fulfill bid=repair 10000 floor=0 price=0 by floor
c6|page.side|mate mate.guide rung=6 educate bid=guide 200000 floor=200000 price=200000 by floor
c6|page.top|empty no_eligible_bid not_valid_now
c7|page.help|empty not_requested
c7|page.side|empty not_requested
c7|page.top|empty no_eligible_bid not_valid_now
END
grep '|page.top|' "$TMP/outcome.judged" | grep -v '/friend\|/guide\|/repair' | diff - <(cat <<'END'
c1|page.top|chai/pot budget
c1|page.top|cola/ended not_valid_now
c1|page.top|cola/later not_valid_now
c1|page.top|cola/low below_floor
c1|page.top|cola/paused paused
c1|page.top|mate/cup outbid
c1|page.top|tea/black own_seat
c1|page.top|tea/green won
c4|page.top|chai/pot budget
c4|page.top|cola/ended not_valid_now
c4|page.top|cola/later not_valid_now
c4|page.top|cola/low below_floor
c4|page.top|cola/paused paused
c4|page.top|mate/cup won
c4|page.top|tea/black budget
c4|page.top|tea/green budget
c5|page.top|chai/pot consent
c5|page.top|cola/ended not_valid_now
c5|page.top|cola/later not_valid_now
c5|page.top|cola/low consent
c5|page.top|cola/paused paused
c5|page.top|mate/cup consent
c5|page.top|tea/black consent
c5|page.top|tea/green consent
c6|page.top|chai/pot condition
c6|page.top|cola/ended not_valid_now
c6|page.top|cola/later not_valid_now
c6|page.top|cola/low condition
c6|page.top|cola/paused paused
c6|page.top|mate/cup condition
c6|page.top|tea/black condition
c6|page.top|tea/green condition
END
) || fail "the reasons of the bids (<) are not what the rules say (>)"

say "equal bids: either wins, the price is theirs, and a restart changes nothing"
for copy in $(seq 60); do
    printf '{"id": "even-%s", "container": "even", "user": {"id": "even-%s", "identity": "repeat", "consent": ["third_party"]}}\n' "$copy" "$copy"
done >"$TMP/even"
won() { slotctl contact "$TMP/even" --as shop --json | grep -o '"\(seat\|placement\|price_micros\)": *"\?[a-z0-9]*'; }
won >"$TMP/first"
for seat in mate cola; do
    [ "$(grep -c "\"seat\": *\"$seat\$" "$TMP/first")" -ge 10 ] || fail "$seat hardly ever wins among equals"
done
[ "$(grep -c '"price_micros": *800000$' "$TMP/first")" = 60 ] || fail "equals do not pay their price"
kill -9 "$(cut -d' ' -f1 "$M/run/auctiond.process")"
expect 0 slotctl up
won >"$TMP/second"
diff "$TMP/first" "$TMP/second" || fail "the same contacts have other winners after a restart"
clean
