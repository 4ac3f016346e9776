#!/usr/bin/env node
// Every kind of bad input over the wire: each is refused by name at its field, the requests before and behind it on
// the same connection are answered, other connections live, and nothing is written to the journal. What makes the
// bytes behind it unreadable ends its own connection and no other. README.md says how to call it.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { encode } = require('@msgpack/msgpack');
const { Market, sleep } = require('./market.js');

const market = new Market();
const said = (line) => console.log(`node: ${line}`);
const digits = (length) => '0123456789abcdef'.repeat(4).slice(0, length);
// The library packs a large number as a float when it also packs BigInt: so large ones are made BigInt.
const exact = (value) => Array.isArray(value) ? value.map(exact)
    : typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) >= 2 ** 31 ? BigInt(value)
    : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, exact(one)])) : value;
const request = (id, method, params) => encode([0, id, method, [exact(params)]], { useBigInt64: true });
const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');

// --- One request is refused, its neighbours are answered ---

const user = { id: 'refused-1', identity: 'repeat', consent: ['profiling', 'third_party'] };
const contact = { id: 'refused', container: 'monthly_bill', user };
const bid = { id: 'refused', message: 'reading_room.leaflet', price_micros: 900000, cur: 'EUR' };
const without = (object, field) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));
const many = (count, make) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, make(i)]));

const contacts = [
    ['missing_field', 'id', without(contact, 'id')],
    ['missing_field', 'container', without(contact, 'container')],
    ['missing_field', 'user.identity', { ...contact, user: without(user, 'identity') }],
    ['missing_field', 'user.id', { ...contact, user: without(user, 'id') }],
    ['missing_field', 'imp[1].tagid', { ...contact, imp: [{ tagid: 'monthly_bill.tip' }, { bidfloor: 1 }] }],
    ['missing_field', 'id', { ...contact, id: null }],
    ['wrong_type', 'id', { ...contact, id: 7 }],
    ['wrong_type', 'container', { ...contact, container: ['monthly_bill'] }],
    ['wrong_type', 'user', { ...contact, user: 'refused-1' }],
    ['wrong_type', 'user.consent', { ...contact, user: { ...user, consent: 'profiling' } }],
    ['wrong_type', 'user.consent[0]', { ...contact, user: { ...user, consent: [true] } }],
    ['wrong_type', 'attr', { ...contact, attr: ['north'] }],
    ['wrong_type', 'attr.tenure_months', { ...contact, attr: { tenure_months: '12' } }],
    ['wrong_type', 'attr.tenure_months', { ...contact, attr: { tenure_months: 1.5 } }],
    ['wrong_type', 'attr.owns[1]', { ...contact, attr: { owns: ['machine', 2] } }],
    ['wrong_type', 'imp', { ...contact, imp: { tagid: 'monthly_bill.tip' } }],
    ['wrong_type', 'began_us', { ...contact, began_us: 'today' }],
    ['wrong_type', 'test', { ...contact, test: true }],
    ['out_of_range', 'test', { ...contact, test: 2 }],
    ['out_of_range', 'tmax', { ...contact, tmax: 0 }],
    ['out_of_range', 'id', { ...contact, id: '' }],
    ['out_of_range', 'user.identity', { ...contact, user: { ...user, identity: 'friend' } }],
    ['out_of_range', 'user.consent[1]', { ...contact, user: { ...user, consent: ['profiling', 'everything'] } }],
    ['out_of_range', 'achieved[0]', { ...contact, achieved: ['win'] }],
    ['out_of_range', 'attr.tenure_months', { ...contact, attr: { tenure_months: 100000 } }],
    ['out_of_range', 'began_us', { ...contact, began_us: (Date.now() + 10 * 60000) * 1000 }],
    ['out_of_range', 'began_us', { ...contact, began_us: -1 }],
    ['too_large', 'id', { ...contact, id: 'x'.repeat(41) }],
    ['too_large', 'container', { ...contact, container: 'x'.repeat(49) }],
    ['too_large', 'user.id', { ...contact, user: { ...user, id: 'x'.repeat(129) } }],
    ['too_large', 'attr', { ...contact, attr: many(129, (i) => i) }],
    ['too_large', 'attr.owns[256]', { ...contact, attr: { owns: Array.from({ length: 257 }, (_, i) => `item ${i}`) } }],
    ['unknown_container', 'container', { ...contact, container: 'no_such_bill' }],
    ['unknown_slot', 'imp[1].tagid', { ...contact, imp: [{ tagid: 'monthly_bill.tip' }, { tagid: 'monthly_bill.x' }] }],
    ['unknown_slot', 'imp[0].tagid', { ...contact, imp: [{ tagid: 'parcel.card' }] }],
];
const bids = [
    ...['id', 'message', 'price_micros', 'cur'].map((field) => ['missing_field', field, without(bid, field)]),
    ['wrong_type', 'price_micros', { ...bid, price_micros: '0.90' }],
    ['wrong_type', 'price_micros', { ...bid, price_micros: 0.9 }],
    ['wrong_type', 'price_micros', { ...bid, price_micros: 2 ** 63 }],
    ['wrong_type', 'paused', { ...bid, paused: 1 }],
    ['wrong_type', 'id', { ...bid, id: 'a\0b' }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: 0 }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: -900000 }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: 10 ** 15 + 1 }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: 2n ** 63n - 1n }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: 2n ** 63n }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: 2n ** 64n - 1n }],
    ['out_of_range', 'price_micros', { ...bid, price_micros: -(2n ** 63n) }],
    ['out_of_range', 'from_us', { ...bid, from_us: 2n ** 53n }],
    ['out_of_range', 'until_us', { ...bid, from_us: 2000, until_us: 2000 }],
    ['out_of_range', 'cur', { ...bid, cur: 'eur' }],
    ['currency', 'cur', { ...bid, cur: 'USD' }],
    ['too_large', 'id', { ...bid, id: 'é'.repeat(21) }],
    ['unknown_message', 'message', { ...bid, message: 'reading_room.nothing' }],
    ['unknown_message', 'message', { ...bid, message: 'no_such_seat.leaflet' }],
    ['unknown_slot', 'tagid', { ...bid, tagid: 'monthly_bill.nowhere' }],
    ['not_yours', 'message', { ...bid, message: 'grill_house.summer' }],
];
const others = [
    ['bid.list', 'out_of_range', 'limit', { limit: 201 }],
    ['bid.list', 'out_of_range', 'after', { after: 'ff' }],
    ['bid.list', 'out_of_range', 'after', { after: 'x'.repeat(16) }],
    ['bid.withdraw', 'missing_field', 'id', {}],
    ['bid.withdraw', 'unknown_bid', undefined, { id: 'never-put' }],
    ['statement.get', 'missing_field', 'format', { period: '2026-11' }],
    ['statement.get', 'not_found', 'format', { period: '2026-11', format: 'docx' }],
    ['statement.get', 'not_found', 'period', { period: '../../tls/ca', format: 'text' }],
    ['hello', 'too_large', 'client', { client: 'x'.repeat(49) }],
    ['Hello', 'unknown_method', undefined, {}],
    ['contact', 'wrong_role', undefined, contact],
];

// Events on: a placement that is held, one that was delivered and converted, one whose window ended, and what is none.
function events({ held, sold, late, trial }) {
    const revenue = { order: `order-${market.run}`, amount_micros: 5000000, cur: 'EUR' };
    const on = (placement, event, more = {}) => ({ placement, event, ...more });
    return [
        ['bill_run', 'missing_field', 'placement', { event: 'delivered' }],
        ['bill_run', 'missing_field', 'event', { placement: held }],
        ['bill_run', 'out_of_range', 'event', on(held, 'forgotten')],
        ['bill_run', 'out_of_range', 'placement', on('x'.repeat(32), 'delivered')],
        ['bill_run', 'unknown_placement', 'placement', on(digits(32), 'delivered')],
        ['bill_run', 'unknown_placement', 'placement', on(trial, 'delivered')],  // of a test: never won
        ['bill_run', 'early', 'event', on(held, 'delivered', { at_us: (Date.now() - 10 * 60000) * 1000 })],  // before its win
        ['bill_run', 'out_of_range', 'at_us', on(held, 'delivered', { at_us: (Date.now() + 10 * 60000) * 1000 })],
        ['bill_run', 'early', 'event', on(held, 'accepted')],
        ['bill_run', 'early', 'event', on(held, 'converted', revenue)],
        ['bill_run', 'early', 'event', on(held, 'refunded', { ...revenue, refund: 'r' })],
        ['crm', 'not_yours', 'placement', on(held, 'delivered')],
        ['reading_room', 'wrong_role', 'event', on(held, 'delivered')],
        ['grill_house', 'not_yours', 'placement', on(sold, 'converted', { ...revenue, order: 'order-2' })],
        ['grill_house', 'not_yours', 'placement', on(sold, 'refunded', { ...revenue, refund: 'r' })],
        ['bill_run', 'already_ended', 'event', on(sold, 'cancelled')],
        ['bill_run', 'conflict', 'event', on(sold, 'declined')],
        ['reading_room', 'conflict', 'order', on(sold, 'converted', { ...revenue, amount_micros: 1 })],
        ['reading_room', 'refund_exceeds', 'amount_micros', on(sold, 'refunded', { ...revenue, refund: 'r', amount_micros: 5000001 })],
        ['reading_room', 'early', 'event', on(sold, 'refunded', { ...revenue, order: 'never', refund: 'r' })],
        ['reading_room', 'missing_field', 'refund', on(sold, 'refunded', revenue)],
        ['reading_room', 'out_of_range', 'amount_micros', on(sold, 'converted', { ...revenue, order: 'order-3', amount_micros: 2n ** 63n })],
        ['reading_room', 'currency', 'cur', on(sold, 'converted', { ...revenue, order: 'order-3', cur: 'USD' })],
        ['crm', 'late', 'event', on(late, 'delivered')],
        ['crm', 'already_ended', 'event', on(late, 'accepted')],
    ].map(([who, reason, field, params]) => [who, 'event', reason, field, params]);
}

async function refusesAll(table) {
    const raws = {};
    for (const who of new Set(table.map(([name]) => name))) raws[who] = await market.raw(who);
    for (const [who, method, reason, field, params] of table) {
        const what = `${who} ${method} ${reason} ${field}`;
        const raw = raws[who];
        raw.write(Buffer.concat([request(1, 'hello', {}), request(2, method, params), request(3, 'hello', {})]));
        const answers = await raw.messages(3);
        assert.equal(answers.length, 3, what);
        for (const [type, id, error, result] of answers) {
            assert.equal(type, 1, what);
            if (id !== 2) {
                assert.equal(error, null, what);
                assert.equal(result.party, who, what);
                continue;
            }
            assert.equal(error?.reason, reason, `${what}: ${JSON.stringify({ error, result })}`);
            assert.equal(error.field, field, `${what}: ${JSON.stringify(error)}`);
            assert.ok(error.code >= 500 && error.text.length > 10, what);
            assert.equal(result, null, what);
        }
    }
    for (const raw of Object.values(raws)) await raw.end();
    said(`${table.length} wrong requests refused by name, their neighbours answered`);
}

// --- What cannot be answered ends its own connection ---

// [what it is, reason or nil when the answer is an error, bytes]
const hostile = [
    ['a text of 1 GiB', 'too_large', hex('94 00 02 a5 68656c6c6f 91 81 a1 61 db 40000000')],
    ['bytes of 1 GiB', 'too_large', hex('94 00 02 c6 40000000')],
    ['an array of 1 GiB', 'too_large', hex('dd 40000000')],
    ['a map of 4 Gi pairs', 'too_large', hex('94 00 02 a5 68656c6c6f 91 df ffffffff')],
    ['a message of 65537 bytes', 'too_large', request(2, 'hello', { a: 'x'.repeat(65537 - 16) })],
    ['4097 values', 'too_large', request(2, 'hello', { a: Array(4097).fill(null) })],
    ['nine levels', 'too_large', request(2, 'hello', { a: [[[[[[1]]]]]] })],
    ['a thousand levels', 'too_large', Buffer.alloc(1000, 0x91)],
    ['the byte that is none', 'malformed', hex('94 00 02 a5 68656c6c6f 91 81 a1 61 c1')],
    ['an extension type', 'malformed', encode([0, 2, 'hello', [{ at: new Date() }]])],
    ['a number alone', 'malformed', hex('01')],
    ['a map alone', 'malformed', encode({ method: 'hello' })],
    ['three elements', 'malformed', encode([0, 2, 'hello'])],
    ['a notification', 'malformed', encode([2, 'hello', [{}]])],
    ['an answer', 'malformed', encode([1, 2, null, {}])],
    ['an id below zero', 'malformed', encode([0, -1, 'hello', [{}]])],
    ['an id of 33 bits', 'malformed', encode([0, 2 ** 32, 'hello', [{}]])],
    ['an id that is a text', 'malformed', encode([0, '2', 'hello', [{}]])],
    ['text of another protocol', 'malformed', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
];
const awkward = [
    ['no params', encode([0, 2, 'hello', []])],
    ['params that are a map', encode([0, 2, 'hello', {}])],
    ['two params', encode([0, 2, 'hello', [{}, {}]])],
    ['a method that is a number', encode([0, 2, 5, [{}]])],
    ['a method of 49 bytes', encode([0, 2, 'x'.repeat(49), [{}]])],
    ['a key twice', hex('94 00 02 a5 68656c6c6f 91 82 a1 61 01 a1 61 02')],
    ['a key that is a number', hex('94 00 02 a5 68656c6c6f 91 81 01 02')],
    ['text that is not UTF-8', hex('94 00 02 a5 68656c6c6f 91 81 a6 636c69656e74 a2 fffe')],
];

async function endsItsOwnConnection(witness) {
    for (const [what, reason, bytes] of hostile) {
        const raw = await market.raw('bill_run');
        raw.write(Buffer.concat([request(1, 'hello', {}), bytes]));
        const [answer, last, ...more] = await raw.messages(99);  // to the end
        assert.equal(answer?.[1], 1, `${what}: what came before it is answered`);
        assert.deepEqual([last?.[0], last?.[1], last?.[2]?.[0]?.reason], [2, 'refused', reason], `${what}: ${JSON.stringify(last)}`);
        assert.equal(more.length, 0, what);
        assert.ok(raw.ended, `${what}: the connection ends`);
        assert.equal((await witness.call('hello')).party, 'crm', what);
    }
    const raw = await market.raw('bill_run');
    for (const [what, bytes] of awkward) {
        raw.write(Buffer.concat([request(1, 'hello', {}), bytes, request(3, 'hello', {})]));
        const answers = await raw.messages(3);
        assert.deepEqual(answers.map(([, id, error]) => [id, error === null]), [[1, true], [2, false], [3, true]], what);
    }
    await raw.end();
    // Cut anywhere by the end of the connection: what came whole is answered, the rest was never received.
    const whole = request(2, 'hello', { client: 'cut' });
    for (let cut = 1; cut < whole.length; cut += 3) {
        const short = await market.raw('bill_run');
        short.write(Buffer.concat([request(1, 'hello', {}), whole.subarray(0, cut)]));
        short.socket.end();
        assert.deepEqual((await short.messages(99)).map(([, id]) => id), [1], `cut at ${cut}`);
    }
    said(`${hostile.length} kinds of hostile bytes ended their own connection, ${awkward.length} were answered`);
}

// Bytes changed at random: whatever comes back, the connection is answered or ended, and others live.
async function random(witness, seed) {
    let state = seed >>> 0 || 1;
    const next = (below) => {
        state ^= state << 13, state >>>= 0, state ^= state >>> 17, state ^= state << 5, state >>>= 0;
        return state % below;
    };
    const template = request(2, 'contact', { ...contact, test: 1, attr: { region: 'north', owns: ['machine', 'grinder'], tenure_months: 3 } });
    let ended = 0, answered = 0;
    for (let i = 0; i < 150; i++) {
        const bytes = Buffer.from(template);
        for (let flips = 1 + next(4); flips > 0; flips--) bytes[next(bytes.length)] = next(256);
        const raw = await market.raw('bill_run');
        raw.write(Buffer.concat([request(1, 'hello', {}), bytes]));
        raw.socket.end();
        const messages = await raw.messages(99);  // to the end
        assert.equal(messages[0]?.[1], 1, `seed ${seed}, ${i}`);
        assert.ok(raw.ended, `seed ${seed}, ${i}`);
        if (messages.at(-1)[0] === 2) ended++;
        else answered++;
    }
    assert.equal((await witness.call('hello')).party, 'crm');
    said(`150 requests with bytes changed (seed ${seed}): ${answered} answered or cut, ${ended} refused`);
}

// --- What is right although it looks odd ---

async function harmless(rpc, seat) {
    const odd = { ...contact, id: `odd-${market.run}`, user: { ...user, shoe: 44, tier: null }, attr: { region: null, moon: { full: [1.5, null] } },
        colour: 'blue', imp: [{ tagid: 'monthly_bill.insert', bidfloor: 0.1 }], test: 0, tmax: 60000 };
    const answer = await rpc.call('contact', odd);
    assert.equal(answer.placements.length, 1);
    assert.deepEqual(new Set(answer.unfilled.map((one) => one.reason)), new Set(['not_requested']));
    const { placement } = answer.placements[0];
    const known = await rpc.call('contact', { ...without(odd, 'colour'), tmax: 5 });  // neither is content
    assert.deepEqual([known.repeated, known.placements[0].placement], [true, placement]);
    await assert.rejects(rpc.call('contact', without(odd, 'imp')), { reason: 'conflict' });
    // A delivery needs no order: whatever these hold is ignored.
    const report = { placement, event: 'delivered', order: '', amount_micros: 'none', cur: 5, refund: [] };
    assert.equal((await rpc.call('event', report)).repeated, false);
    assert.equal((await rpc.call('event', { placement: placement.toUpperCase(), event: 'delivered' })).repeated, true);
    const put = await seat.call('bid.put', { ...bid, id: 'odd', paused: true, note: { any: 'thing' }, tagid: null });
    assert.deepEqual([put.state, put.live], ['paused', false]);
    // A list is of the moment it was asked for, although all three leave in one write.
    const raw = await market.raw('reading_room');
    raw.write(Buffer.concat([request(1, 'bid.list', {}), request(2, 'bid.put', { ...bid, id: 'listed' }),
        request(3, 'bid.list', {}), request(4, 'bid.withdraw', { id: 'listed' })]));
    const lists = new Map((await raw.messages(4)).map(([, id, error, result]) => [id, result]));
    const listed = (id) => lists.get(id).bids.some((one) => one.id === 'listed');
    assert.deepEqual([listed(1), listed(3), lists.get(4).state], [false, true, 'withdrawn']);
    // One request more than may be unanswered: busy, and the others are answered.
    const { limits } = await seat.call('hello');
    raw.write(Buffer.concat(Array.from({ length: limits.in_flight + 6 }, (_, i) => request(100 + i, 'bid.put', { ...bid, id: 'odd', paused: true }))));
    const burst = await raw.messages(limits.in_flight + 6);
    assert.equal(new Set(burst.map(([, id]) => id)).size, limits.in_flight + 6);
    assert.deepEqual(new Set(burst.filter(([, , error]) => error).map(([, , error]) => error.reason)), new Set(['busy']));
    assert.equal(burst.filter(([, , error]) => error).length, 6);
    await raw.end();
    said('unknown fields, nil fields and odd forms are harmless');
}

async function placements(rpc, seat, crm) {
    const imp = [{ tagid: 'monthly_bill.insert' }];
    const sell = async (id, more = {}) =>
        (await rpc.call('contact', { ...contact, imp, id: `${id}-${market.run}`, ...more })).placements[0].placement;
    const [held, sold, trial] = [await sell('held'), await sell('sold'), await sell('trial', { test: 1 })];
    const call = { id: `late-${market.run}`, container: 'support_call', attr: { waiting_seconds: 100 }, imp: [{ tagid: 'support_call.on_hold' }],
        user: { id: 'late', identity: 'repeat', consent: ['profiling', 'modelling'] } };
    const [{ placement: late }] = (await crm.call('contact', call)).placements;
    for (const [who, event, more] of [[rpc, 'delivered'], [rpc, 'accepted'], [seat, 'converted', { order: `order-${market.run}`, amount_micros: 5000000, cur: 'EUR' }]])
        assert.equal((await who.call('event', { placement: sold, event, ...more })).repeated, false);
    await sleep(3500);  // the line is free again after three seconds
    return { held, sold, late, trial };
}

const batch = () => Number(/"durable_batch": (\d+)/.exec(fs.readFileSync(market.given.status, 'utf8'))[1]);

async function main() {
    const [rpc, crm, seat] = [await market.rpc('bill_run'), await market.rpc('crm'), await market.rpc('reading_room')];
    await harmless(rpc, seat);
    const known = await placements(rpc, seat, crm);
    await sleep(1500);
    const before = batch();
    await refusesAll([...contacts.map((row) => ['bill_run', 'contact', ...row]), ...bids.map((row) => ['reading_room', 'bid.put', ...row]),
        ...others.map(([method, ...row]) => ['reading_room', method, ...row]), ['bill_run', 'bid.put', 'wrong_role', undefined, bid],
        ['bill_run', 'bid.list', 'wrong_role', undefined, {}], ['bill_run', 'statement.list', 'wrong_role', undefined, {}], ...events(known)]);
    await endsItsOwnConnection(crm);
    await sleep(1500);
    assert.equal(batch(), before, 'nothing of it was written');
    await random(crm, Number(market.given.seed));
    // And what was held is still good.
    assert.equal((await rpc.call('event', { placement: known.held, event: 'delivered' })).repeated, false);
    for (const one of [rpc, crm, seat]) await one.close();
    console.log('node: ok');
}

main().catch((error) => {
    console.error(`node: FAILED: ${error.stack}`);
    process.exit(1);  // whatever is still open
});
