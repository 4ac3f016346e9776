#!/usr/bin/env node
// A live bidder: subscribes, bids for every slot it is asked about, and writes down what it is told. A touchpoint asks
// beside it, and each side's story is checked against the other's. README.md says how to call it.
'use strict';
const assert = require('node:assert/strict');
const { parseArgs } = require('node:util');
const { Rpc, Refused } = require('./rpc.js');

const text = (fallback) => ({ type: 'string', default: fallback });
const { values: given } = parseArgs({
    options: {
        host: text('127.0.0.1'), port: text('7443'), ca: { type: 'string' },
        'seat-cert': { type: 'string' }, 'seat-key': { type: 'string' }, seat: text('reading_room'),
        'touchpoint-cert': { type: 'string' }, 'touchpoint-key': { type: 'string' },
        message: text('reading_room.leaflet'), container: text('monthly_bill'), tagid: text('monthly_bill.insert'),
        price: text('2500000'), cur: text('EUR'), run: text(String(Date.now())), contacts: text('5'),
    },
});
const connect = (who) => Rpc.connect({
    host: given.host, port: Number(given.port), ca: given.ca, cert: given[`${who}-cert`], key: given[`${who}-key`],
});
const say = (line) => console.log(`node: ${line}`);
const until = async (what, done) => {
    for (let tries = 0; !done(); tries++) {
        assert.ok(tries < 500, `waited in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
};

// Bids `price` for the slot, and with every request one bid that cannot be: another currency.
function bidFor(requests) {
    return async (method, request) => {
        assert.equal(method, 'bid_request');
        assert.match(request.id, /^[0-9a-f]{32}$/);
        assert.ok(request.tmax >= 1 && request.imp.length >= 1);
        assert.deepEqual([request.cur, request.wseat], [[given.cur], [given.seat]]);
        for (const imp of request.imp) assert.ok(Number.isSafeInteger(imp.bidfloor_micros) && imp.bidfloorcur === given.cur);
        requests.push(request);
        const imp = request.imp.find((one) => one.tagid === given.tagid);
        if (!imp) return { id: request.id, bids: [] };
        const bid = { impid: imp.id, message: given.message, price_micros: Number(given.price), id: `live-${requests.length}` };
        return { id: request.id, bids: [bid, { ...bid, cur: 'XTS' }] };
    };
}

async function main() {
    const seat = await connect('seat');
    const touchpoint = await connect('touchpoint');
    const requests = [], notices = [], customers = new Set();
    seat.asked = bidFor(requests);
    seat.told = (method, notice) => { assert.equal(method, 'notice'); notices.push(notice); };
    const subscribed = await seat.call('subscribe', { live: true, notices: true });
    assert.deepEqual([subscribed.live, subscribed.notices, subscribed.state.breaker], [true, true, 'closed']);
    await assert.rejects(touchpoint.call('subscribe', { live: true }), (error) => error instanceof Refused && error.reason === 'wrong_role');

    const won = [];
    for (let i = 0; i < Number(given.contacts); i++) {
        const answer = await touchpoint.call('contact', {
            id: `live-${given.run}-${i}`, container: given.container, imp: [{ tagid: given.tagid }],
            user: { id: `live-customer-${given.run}`, identity: 'repeat', consent: ['profiling', 'third_party', 'sharing'] },
            attr: { region: 'north' },
        });
        const placement = answer.placements.find((one) => one.tagid === given.tagid && one.message === given.message);
        if (!placement) continue;
        assert.ok(placement.floor_micros <= placement.price_micros && placement.price_micros <= Number(given.price));
        won.push(placement);
        await touchpoint.call('event', { placement: placement.placement, event: 'delivered' });
    }
    assert.ok(requests.length > 0, 'nothing was asked');
    assert.ok(won.length > 0, 'nothing was won');
    for (const request of requests) {
        customers.add(request.user.id);
        assert.ok(!request.attr || Object.keys(request.attr).every((name) => name === 'region'), JSON.stringify(request.attr));
    }
    assert.equal(customers.size, 1, 'one customer, one name');

    const of = (event) => notices.filter((notice) => notice.event === event);
    await until('the notices', () => of('win').length >= won.length && of('billing').length >= won.length);
    const names = of('win').map((one) => one.placement);
    assert.ok(names.every((name) => /^[0-9a-f]{32}$/.test(name) && !won.some((one) => one.placement.startsWith(name.slice(0, 8)))),
        'a seat has its own name of a placement');
    assert.deepEqual(of('win').map((one) => one.price_micros), won.map((one) => one.price_micros));
    assert.deepEqual(of('billing').map((one) => one.placement), names);
    // It reports revenue by that name, or by the id that the touchpoint may have handed on: the same placement.
    const revenue = { event: 'converted', order: `order-${given.run}`, amount_micros: 1000000, cur: 'EUR' };
    const booked = await seat.call('event', { ...revenue, placement: names[0] });
    assert.deepEqual([booked.placement, booked.repeated], [names[0], false]);
    const again = await seat.call('event', { ...revenue, placement: won[0].placement });
    assert.deepEqual([again.placement, again.repeated], [won[0].placement, true]);
    assert.ok(of('win').every((one) => requests.some((request) => request.id === one.auction)));
    assert.ok(of('error').length > 0 && of('error').every((one) => one.reason === 'currency' && one.number === 1));
    const state = await seat.call('live.state');
    assert.ok(state.asked >= requests.length && state.answered_bids > 0 && state.missing === 0, JSON.stringify(state));
    const { days } = await seat.call('reasons');
    assert.ok(days[0].counts.find((one) => one.reason === 'won').count >= won.length);
    await seat.close();
    await touchpoint.close();
    say(`asked ${requests.length} times, won ${won.length}, told ${notices.length} things`);
    console.log(`node: ok live placement=${won[0].placement} price_micros=${won[0].price_micros}`);
}

main().catch((error) => {
    console.error(`node: FAILED: ${error.stack}`);
    process.exit(1);  // connections that are still open would keep us here
});
