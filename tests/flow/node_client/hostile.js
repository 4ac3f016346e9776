#!/usr/bin/env node
// Hostile peers at one auctiond: silence, garbage, wrong TLS and wrong certificates, slow bytes, floods of handshakes and
// of requests, answers nobody reads. All the while a good peer asks and is answered; afterwards no descriptor and little
// memory is left behind. README.md says how to call it.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');
const { encode } = require('@msgpack/msgpack');
const { Market, sleep } = require('./market.js');

const market = new Market();
const { host, port } = market.options('crm');
const said = (line) => console.log(`node: ${line}`);
const request = (id, method, params) => encode([0, id, method, [params]]);
const descriptors = () => fs.readdirSync(`/proc/${market.given.pid}/fd`).length;
const resident = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${market.given.pid}/status`, 'utf8'))[1]);  // kB

// Runs what a hostile crowd does while a good peer asks every 50 ms; says how long that peer ever waited.
async function whileAnswered(what, crowd) {
    const good = await market.rpc('crm');
    let going = true, asked = 0, longest = 0;
    const asking = (async () => {
        while (going) {
            const began = Date.now();
            await good.call('hello');
            longest = Math.max(longest, Date.now() - began);
            asked++;
            await sleep(50);
        }
    })();
    const note = await crowd();
    going = false;
    await asking;
    await good.close();
    assert.ok(asked > 0 && longest < 5000, `${what}: the good peer waited ${longest} ms`);
    said(`${what}: ${note}; a good peer asked ${asked} times and waited ${longest} ms at most`);
}

// Sockets that sent `bytes` (or nothing) and then only listen; tells how many the node has let go.
function plain(count, bytes) {
    const state = { closed: 0, sockets: [] };
    for (let i = 0; i < count; i++) {
        const socket = net.connect({ host, port });
        socket.on('error', () => {});
        socket.on('data', () => {});
        socket.on('close', () => state.closed++);
        if (bytes) socket.write(bytes);
        state.sockets.push(socket);
    }
    return state;
}

async function allClosed(state, count, within) {
    for (const until = Date.now() + within; state.closed < count && Date.now() < until;) await sleep(50);
    assert.equal(state.closed, count, 'connections that should be gone');
}

// How a TLS connection with these options ends: the alert's code, or 'closed', or 'refused' with the reason.
async function verdict(more) {
    let raw;
    try {
        raw = await market.raw('crm', more);
    } catch (error) {
        return error.code;
    }
    raw.write(request(1, 'hello', {}));
    const [message] = await raw.messages(1);
    const answered = message?.[0] === 1;
    raw.socket.destroy();
    if (answered) return 'answered';
    return message ? message[2][0].reason : raw.trouble?.code ?? 'closed';
}

async function wrongTls() {
    const read = (name) => fs.readFileSync(`${market.given.dir}/${name}`);
    const pair = (name) => ({ cert: read(`${name}.crt`), key: read(`${name}.key`) });
    assert.equal(await verdict({}), 'answered');
    assert.equal(await verdict({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const alerts = [['no certificate', { cert: undefined, key: undefined }], ['expired', pair('hostile/expired')],
        ['of another authority', pair('hostile/foreign')], ['signed by itself', pair('hostile/self')], ["the server's own", pair('tls/server')]];
    for (const [what, more] of alerts) assert.match(await verdict(more), /^ERR_SSL.*ALERT|^ECONNRESET$/, what);
    assert.equal(await verdict(pair('hostile/nobody')), 'unknown_certificate');
    assert.equal(await verdict(pair('hostile/revoked')), 'revoked');
    return `TLS 1.2 and ${alerts.length + 2} wrong certificates were refused`;
}

async function silence() {
    const crowd = plain(2000);
    await allClosed(crowd, 2000, 12000);
    return '2,000 connections that said nothing were let go';
}

async function garbage() {
    const kinds = [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.alloc(3000, 0xff), Buffer.alloc(40),
        Buffer.from('16030100050100000100', 'hex'), Buffer.from('1603010200010001fc0303', 'hex')];
    for (const kind of kinds) {
        const crowd = plain(100, kind);
        await sleep(300);
        for (const socket of crowd.sockets) socket.end();
        await allClosed(crowd, 100, 12000);
    }
    return `${kinds.length * 100} connections that spoke no TLS were let go`;
}

// A handshake cut in the middle, many times at once.
async function handshakes() {
    let closed = 0;
    const rounds = 400;
    for (let i = 0; i < rounds; i++) {
        const socket = tls.connect({ host, port, servername: '', rejectUnauthorized: false, minVersion: 'TLSv1.3' });
        socket.on('error', () => {});
        socket.on('close', () => closed++);
        setTimeout(() => socket.destroy(), i % 7);
        if (i % 20 === 0) await sleep(10);
    }
    await allClosed({ get closed() { return closed; } }, rounds, 12000);
    return `${rounds} handshakes were begun and left`;
}

async function slowly() {
    const raw = await market.raw('crm');
    for (const byte of request(9, 'hello', { client: 'slow' })) {
        raw.write(Buffer.of(byte));
        await sleep(20);
    }
    const [answer] = await raw.messages(1);
    assert.deepEqual([answer[1], answer[2]], [9, null]);
    await raw.end();
    return 'a request that came byte by byte was answered';
}

async function pipeline() {
    const raw = await market.raw('crm');
    const count = 20000;
    raw.write(Buffer.concat(Array.from({ length: count }, (_, i) => request(i, 'hello', {}))));
    const ids = new Set((await raw.messages(count)).map(([, id]) => id));
    assert.equal(ids.size, count);
    await raw.end();
    return `${count} requests in one write were all answered`;
}

// Peers that ask and do not read: the node stops reading them, and keeps a bounded part for each.
async function unread() {
    const before = resident(), peers = [], count = 20;
    const block = Buffer.concat(Array.from({ length: 500 }, (_, id) => request(id, 'bid.list', {})));
    for (let i = 0; i < count; i++) {
        const socket = await market.socket('sales');
        socket.on('error', () => {});
        for (let writes = 0; writes < 200; writes++) socket.write(block);
        peers.push(socket);
    }
    await sleep(3000);
    const grown = resident() - before;
    for (const socket of peers) socket.destroy();
    assert.ok(grown < count * 1024, `${grown} kB for ${count} peers that do not read`);
    return `${count} peers that asked 100,000 times each and read nothing took ${grown} kB`;
}

async function many() {
    const count = 400, peers = [];
    for (let i = 0; i < count; i += 20)
        peers.push(...await Promise.all(Array.from({ length: 20 }, () => market.rpc('crm'))));
    const answers = await Promise.all(peers.map((rpc) => rpc.call('hello')));
    assert.ok(answers.every(({ party }) => party === 'crm'));
    await Promise.all(peers.map((rpc) => rpc.close()));
    return `${count} connections at once were all answered`;
}

async function main() {
    await whileAnswered('slow bytes', slowly);  // warms up what is allocated once
    await whileAnswered('a long pipeline', pipeline);
    await sleep(500);
    const before = { fds: descriptors(), kB: resident() };
    await whileAnswered('wrong TLS', wrongTls);
    await whileAnswered('garbage', garbage);
    await whileAnswered('silence', silence);
    await whileAnswered('many', many);
    await whileAnswered('handshakes', handshakes);
    await whileAnswered('unread answers', unread);
    await whileAnswered('a long pipeline again', pipeline);
    for (const until = Date.now() + 10000; descriptors() > before.fds && Date.now() < until;) await sleep(100);
    assert.equal(descriptors(), before.fds, 'descriptors left behind');
    const grown = resident() - before.kB;
    assert.ok(grown < 64 * 1024, `${grown} kB stayed`);
    said(`afterwards: no descriptor and ${grown} kB more than before`);
    // Again, the same crowds: what the first took is used again.
    const second = resident();
    await whileAnswered('silence again', silence);
    for (let i = 0; i < 3; i++) await whileAnswered('unread answers again', unread);
    await sleep(1000);
    const more = resident() - second;
    assert.ok(more < 12 * 1024, `${more} kB more the second time`);
    said(`the same again took ${more} kB more`);
    console.log('node: ok');
    process.exit(0);
}

main().catch((error) => {
    console.error(`node: FAILED: ${error.stack}`);
    process.exit(1);
});
