#!/usr/bin/env bash
# Hostile peers: crowds that say nothing, no TLS, old TLS, wrong certificates, floods, answers nobody reads. A good peer
# is answered all the while; the process lives and keeps nothing of it.
. "$(dirname "$0")/flow.sh"
CLIENT=tests/flow/node_client
command -v node >/dev/null && command -v npm >/dev/null || fail "node and npm are missing: ./dev setup"

cp -r "$CLIENT" "$TMP/client"
(cd "$TMP/client" && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || fail "npm ci in $CLIENT"
new_market hostile
slotctl play --bids sample/bids.jsonl >/dev/null
for touchpoint in crm website; do slotctl cert issue touchpoint "$touchpoint" >/dev/null; done

# Certificates that must not speak: expired, of another authority, signed by themselves, of nobody, revoked.
(
    mkdir "$M/hostile"
    cd "$M/hostile"
    ask() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=crm" -keyout "$1.key" "${@:2}"; }
    printf 'extendedKeyUsage = clientAuth\n' >client.cnf
    sign() { # sign NAME CA_CERTIFICATE CA_KEY OPTION...
        ask "$1" -new -out "$1.csr"
        openssl x509 -req -in "$1.csr" -CA "$2" -CAkey "$3" -CAcreateserial -extfile client.cnf -out "$1.crt" "${@:4}"
    }
    sign nobody "$M/tls/ca.crt" "$M/tls/ca.key" -days 1
    ask self -x509 -days 1 -out self.crt
    ask authority -x509 -days 1 -out authority.crt
    sign foreign authority.crt authority.key -days 1
    ask expired -new -out expired.csr
    mkdir ca && touch ca/index.txt && echo 01 >ca/serial
    openssl ca -batch -in expired.csr -cert "$M/tls/ca.crt" -keyfile "$M/tls/ca.key" -out expired.crt -notext \
        -startdate 20200101000000Z -enddate 20200102000000Z -extfile client.cnf -config <(printf '%s\n' '[ca]' 'default_ca = d' \
        '[d]' 'database = ca/index.txt' 'serial = ca/serial' 'new_certs_dir = ca' 'default_md = sha256' 'policy = p' '[p]' 'commonName = supplied')
    cp "$M/tls/touchpoint.website.crt" revoked.crt
    cp "$M/tls/touchpoint.website.key" revoked.key
) >/dev/null 2>"$TMP/openssl" || { cat "$TMP/openssl"; fail "making the certificates"; }
slotctl cert revoke touchpoint.website >/dev/null
sent() { slotctl contact <(head -n 1 sample/contacts.jsonl) --as "$1"; }
wait_for 10 sent crm
gone() { ! sent website; }
wait_for 10 gone

auctiond=$(cut -d' ' -f1 "$M/run/auctiond.process")
expect 0 node "$TMP/client/hostile.js" --dir "$M" --port "$(status_of port)" --pid "$auctiond"
said 'node: ok'
printf '%s\n' "$OUT" | sed 's/^node: /flow: /'
expect 0 slotctl status
lines=$(wc -l <"$M/log/auctiond.log")
[ "$lines" -lt 2000 ] || fail "the log grew by $lines lines"
clean
