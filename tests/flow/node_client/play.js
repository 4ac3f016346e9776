#!/usr/bin/env node
// Plays one contact through the partner protocol and checks every answer: a seat bids, a touchpoint asks and
// reports, the seat reports a conversion and a refund and reads its statements. README.md says how to call it.
'use strict';
const assert = require('node:assert/strict');
const { parseArgs } = require('node:util');
const { Rpc, Refused } = require('./rpc.js');

const text = (fallback) => ({ type: 'string', default: fallback });
const { values: given } = parseArgs({
    options: {
        host: text('127.0.0.1'), port: text('7443'), ca: { type: 'string' },
        'seat-cert': { type: 'string' }, 'seat-key': { type: 'string' }, seat: text('reading_room'),
        'touchpoint-cert': { type: 'string' }, 'touchpoint-key': { type: 'string' }, touchpoint: text('bill_run'),
        message: text('reading_room.leaflet'), container: text('monthly_bill'), tagid: text('monthly_bill.insert'),
        price: text('2500000'), cur: text('EUR'), run: text(String(Date.now())), period: { type: 'string' },
    },
});
for (const name of ['ca', 'seat-cert', 'seat-key', 'touchpoint-cert', 'touchpoint-key'])
    if (!given[name]) throw new Error(`--${name} is missing; see README.md`);

const say = (line) => console.log(`node: ${line}`);
const connect = (who) => Rpc.connect({
    host: given.host, port: Number(given.port), ca: given.ca, cert: given[`${who}-cert`], key: given[`${who}-key`],
});

// The call is refused for this reason, and the connection goes on.
async function refused(call, reason, field) {
    await assert.rejects(call, (error) => {
        assert.ok(error instanceof Refused, error.stack);
        assert.equal(error.reason, reason, error.message);
        assert.equal(typeof error.code, 'number');
        assert.ok(error.text.length > 0);
        if (field) assert.equal(error.field, field);
        return true;
    });
}

async function playHello(rpc, role, party) {
    const hello = await rpc.call('hello', { client: 'node', version: process.version, unknown: { harmless: [1, null] } });
    assert.equal(hello.protocol, 1);
    assert.equal(hello.role, role);
    assert.equal(hello.party, party);
    assert.equal(hello.cur, given.cur);
    assert.ok(hello.catalog > 0, 'a market is live');
    assert.ok(Math.abs(hello.now_us / 1000 - Date.now()) < 60_000, 'the clocks agree');
    assert.equal(hello.limits.message_bytes, 65536);
    say(`hello: ${hello.server}, ${role} ${party}, market ${hello.market}, catalog ${hello.catalog}`);
    return hello;
}

async function playBids(seat) {
    const bid = { id: `node-${given.run}`, message: given.message, price_micros: Number(given.price), cur: given.cur, tagid: given.tagid };
    const first = await seat.call('bid.put', bid);
    assert.equal(first.id, bid.id);
    assert.match(first.bid, /^[0-9a-f]{16}$/);
    assert.equal(first.state, 'active');
    assert.equal(first.live, true);
    assert.equal(first.repeated, false);
    assert.equal((await seat.call('bid.put', bid)).repeated, true);
    assert.equal((await seat.call('bid.put', { ...bid, paused: true })).state, 'paused');
    assert.equal((await seat.call('bid.put', bid)).state, 'active');
    await refused(seat.call('bid.put', { ...bid, price_micros: 0.5 }), 'wrong_type', 'price_micros');
    await refused(seat.call('bid.put', { ...bid, price_micros: 0 }), 'out_of_range', 'price_micros');
    await refused(seat.call('bid.put', { ...bid, message: 'no.such' }), 'unknown_message');
    await refused(seat.call('bid.put', { ...bid, cur: 'XTS' }), 'currency');
    await refused(seat.call('bid.put', { message: given.message }), 'missing_field');
    const mine = [];
    for (let after; ;) {
        const page = await seat.call('bid.list', after ? { after, limit: 2 } : { limit: 2 });
        mine.push(...page.bids);
        after = page.next;
        if (!after) break;
    }
    const listed = mine.find((one) => one.id === bid.id);
    assert.deepEqual([listed.bid, listed.message, listed.price_micros, listed.tagid, listed.state],
        [first.bid, bid.message, bid.price_micros, bid.tagid, 'active']);
    assert.deepEqual(mine.map((one) => one.bid), mine.map((one) => one.bid).sort(), 'in order, page after page');
    say(`bid ${first.bid} for ${bid.message}: ${bid.price_micros} micros, ${mine.length} of our bids listed`);
    return first;
}

async function playContact(touchpoint, bid) {
    const contact = {
        id: `bill-${given.run}`, container: given.container, began_us: Date.now() * 1000, tmax: 2000,
        user: { id: `node-${given.run}`, identity: 'repeat', tier: 'gold', consent: ['profiling', 'third_party'] },
        attr: { region: 'north', age_of_the_moon: 12 }, achieved: ['recognize'],
    };
    const answer = await touchpoint.call('contact', contact);
    assert.equal(answer.id, contact.id);
    assert.match(answer.contact, /^[0-9a-f]{31}0$/);
    assert.equal(answer.repeated, false);
    const won = answer.placements.find((one) => one.tagid === given.tagid);
    assert.ok(won, `nothing in ${given.tagid}: ${JSON.stringify(answer.unfilled)}`);
    assert.equal(won.seat, given.seat);
    assert.equal(won.bid, bid.bid);
    assert.ok(won.floor_micros <= won.price_micros && won.price_micros <= Number(given.price), 'floor <= price <= bid');
    assert.ok(won.expires_us > Date.now() * 1000);
    assert.ok(won.crid.length > 0 && won.objectives.length > 0 && won.rung >= 1 && won.rung <= 8);
    for (const empty of answer.unfilled) assert.ok(empty.code >= 100 && empty.reason && empty.text, JSON.stringify(empty));
    const again = await touchpoint.call('contact', contact);
    assert.equal(again.repeated, true);
    assert.deepEqual({ ...again, repeated: false }, answer, 'the same answer again');
    await refused(touchpoint.call('contact', { ...contact, user: { ...contact.user, tier: 'silver' } }), 'conflict');
    await refused(touchpoint.call('contact', { ...contact, container: 'no_such' }), 'unknown_container');
    await refused(touchpoint.call('contact', { ...contact, user: { ...contact.user, consent: ['profiling', 'everything'] } }),
        'out_of_range', 'user.consent[1]');
    say(`contact ${answer.contact}: ${answer.placements.length} placements, ${answer.unfilled.length} empty; ` +
        `${given.tagid} sold for ${won.price_micros} micros`);
    return won;
}

async function playEvents(touchpoint, seat, { placement }) {
    const report = (rpc, event, more = {}) => rpc.call('event', { placement, event, ...more });
    const revenue = { order: `order-${given.run}`, amount_micros: 89_900_000, cur: given.cur };
    const refund = { ...revenue, refund: 'part-1', amount_micros: 9_900_000 };
    await refused(report(touchpoint, 'accepted'), 'early');
    await refused(report(seat, 'delivered'), 'wrong_role');
    for (const [rpc, event, more] of [[touchpoint, 'delivered', { id: 'printed' }], [touchpoint, 'accepted'],
        [seat, 'converted', revenue], [seat, 'refunded', refund]]) {
        assert.deepEqual(await report(rpc, event, more), { placement, event, repeated: false });
        assert.deepEqual(await report(rpc, event, more), { placement, event, repeated: true });
    }
    await refused(report(touchpoint, 'declined'), 'conflict');
    await refused(report(seat, 'converted', { ...revenue, amount_micros: 1 }), 'conflict');
    await refused(report(seat, 'refunded', { ...refund, refund: 'part-2', amount_micros: 80_000_001 }), 'refund_exceeds');
    await refused(report(touchpoint, 'converted'), 'missing_field', 'order');
    await refused(touchpoint.call('event', { placement: '0'.repeat(31) + '1', event: 'delivered' }), 'unknown_placement');
    say('delivered, accepted, converted, refunded; each a second time without effect');
}

async function playStatements(seat) {
    const { statements } = await seat.call('statement.list');
    assert.ok(Array.isArray(statements));
    await refused(seat.call('statement.get', { period: 'no-such-period', format: 'csv' }), 'not_found');
    for (const { period, files } of statements) {
        for (const { format, bytes } of files) {
            const pieces = [];
            for (let offset = 0; offset !== undefined;) {
                const piece = await seat.call('statement.get', { period, format, offset });
                assert.equal(piece.bytes, bytes);
                pieces.push(piece.data);
                offset = piece.next;
            }
            const whole = Buffer.concat(pieces);
            assert.equal(whole.length, bytes);
            if (format === 'json') JSON.parse(whole.toString('utf8'));
        }
    }
    if (given.period) assert.ok(statements.some((one) => one.period === given.period), `a statement of ${given.period}`);
    say(`statements: ${statements.map((one) => one.period).join(' ') || 'none yet'}`);
}

// Roles, methods, and many requests under way at once.
async function playRules(touchpoint, seat, limits) {
    await refused(touchpoint.call('bid.list'), 'wrong_role');
    await refused(seat.call('contact', { id: 'x', container: given.container }), 'wrong_role');
    await refused(seat.call('sing'), 'unknown_method');
    const many = Array.from({ length: limits.in_flight }, () => seat.call('hello'));
    assert.equal((await Promise.all(many)).length, limits.in_flight);
    say(`${limits.in_flight} requests under way at once`);
}

async function main() {
    const seat = await connect('seat');
    const touchpoint = await connect('touchpoint');
    const { limits } = await playHello(seat, 'seat', given.seat);
    await playHello(touchpoint, 'touchpoint', given.touchpoint);
    await playRules(touchpoint, seat, limits);
    const bid = await playBids(seat);
    const won = await playContact(touchpoint, bid);
    await playEvents(touchpoint, seat, won);
    await playStatements(seat);
    assert.equal((await seat.call('bid.withdraw', { id: `node-${given.run}` })).state, 'withdrawn');
    await refused(seat.call('bid.withdraw', { id: 'never-put' }), 'unknown_bid');
    await seat.close();
    await touchpoint.close();
    console.log(`node: ok placement=${won.placement} price_micros=${won.price_micros} order=order-${given.run}`);
}

main().catch((error) => {
    console.error(`node: FAILED: ${error.stack}`);
    process.exit(1);  // connections that are still open would keep us here
});
