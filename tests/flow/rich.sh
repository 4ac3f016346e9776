# A market in which every rule of selling decides something, with bids and random contacts for it. Sourced behind
# flow.sh; SEED is set.
cat >"$TMP/rich.bids" <<'END'
{"seat": "house", "id": "tip", "message": "house.tip", "price_micros": 120000, "cur": "EUR"}
{"seat": "house", "id": "ask", "message": "house.ask", "price_micros": 90000, "cur": "EUR"}
{"seat": "tea", "id": "green", "message": "tea.green", "price_micros": 810000, "cur": "EUR"}
{"seat": "tea", "id": "black", "message": "tea.black", "kind": "response", "price_micros": 900000, "cur": "EUR"}
{"seat": "mate", "id": "cup", "message": "mate.cup", "price_micros": 770000, "cur": "EUR"}
{"seat": "mate", "id": "gourd", "message": "mate.gourd", "kind": "share", "share_ppm": 200000, "cur": "EUR"}
{"seat": "mate", "id": "low", "message": "mate.gourd", "price_micros": 60000, "cur": "EUR"}
{"seat": "chai", "id": "pot", "message": "chai.pot", "price_micros": 310000, "cur": "EUR"}
{"seat": "chai", "id": "cup", "message": "chai.cup", "price_micros": 290000, "cur": "EUR"}
{"seat": "chai", "id": "paused", "message": "chai.cup", "price_micros": 2000000, "cur": "EUR", "paused": true}
{"seat": "cola", "id": "can", "message": "cola.can", "price_micros": 430000, "cur": "EUR", "tagid": "page.top"}
{"seat": "cola", "id": "late", "message": "cola.can", "price_micros": 500000, "cur": "EUR", "until_us": 1600000000000000}
END

pick() { local words=("$@"); printf '%s' "${words[RANDOM % $#]}"; }
# rich_contacts COUNT PREFIX [CONTAINER...]: so many random contacts as JSON lines, most of them of a few customers.
rich_contacts() {
    local i container touchpoint user attr count=$1 prefix=$2
    shift 2
    for ((i = 1; i <= count; i++)); do
        container=$(pick "${@:-page}")
        touchpoint=shop
        [ "$container" = leaf ] && touchpoint=printer
        attr="\"region\": \"$(pick north south east nowhere)\", \"age\": $((15 + RANDOM % 40))"
        [ $((RANDOM % 3)) = 0 ] && attr+=', "owns": ["kettle", "pot"]'
        user='"identity": "anonymous"'
        [ $((RANDOM % 5)) != 0 ] &&
            user="\"identity\": \"$(pick first_time repeat repeat)\", \"id\": \"person-$((RANDOM % 12))\", \"tier\": \"$(pick none gold vip)\""
        user+=", \"condition\": \"$(pick calm calm calm calm distressed)\""
        user+=", \"consent\": [$(pick '' '"third_party"' '"third_party", "profiling"' '"third_party", "profiling", "modelling", "sharing"')]"
        printf '{"touchpoint": "%s", "id": "%s-%s", "container": "%s", "experienced": %s, "user": {%s}, "attr": {%s}}\n' \
            "$touchpoint" "$prefix" "$i" "$container" "$(pick true false)" "$user" "$attr"
    done
}
