#!/usr/bin/env node
// Partners who work out their statements by themselves. `play`: seats of every kind of terms bid, are told by notices, report
// orders, and keep what they know in --kept FILE. `check`, after the close: each fetches every document in pieces and works out
// each line, total and account from its notices and reports, and what no notice tells from its reconciliation rows. Nothing
// any of them was told names another.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createHash } = require('node:crypto');
const { Market, sleep } = require('./market.js');

const SEATS = ['house', 'front', 'tea', 'mate', 'chai', 'cola'];
const BIDS = [
    ['house', { id: 'tip', message: 'house.tip', price_micros: 90000 }],
    ['tea', { id: 'green', message: 'tea.green', price_micros: 810001 }],
    ['tea', { id: 'black', message: 'tea.black', kind: 'response', price_micros: 900007 }],
    ['mate', { id: 'cup', message: 'mate.cup', price_micros: 770003 }],
    ['chai', { id: 'pot', message: 'chai.pot', price_micros: 790009 }],
    ['cola', { id: 'can', message: 'cola.can', price_micros: 830011 }],
    ['cola', { id: 'keg', message: 'cola.keg', kind: 'share', share_ppm: 333333 }],
];
const GAIN_PPM = 125000n;
const say = (line) => console.log(`node: ${line}`);
const sum = (list, value) => list.reduce((all, one) => all + BigInt(value(one)), 0n);
const random = (() => {
    let state = 7;
    return (below) => { state = (state * 48271) % 2147483647; return state % below; };
})();

async function settled(count) {
    for (let before = -1; before !== count();) {
        before = count();
        await sleep(400);
    }
}

// Admitted: the node knows the market and this certificate.
async function admitted(market, who) {
    for (let tries = 0; ; tries++) {
        try {
            const rpc = await market.rpc(who);
            await rpc.call('hello');
            return rpc;
        } catch (error) {
            if (tries === 100) throw error;
            await sleep(200);
        }
    }
}

// --- Play ----------------------------------------------------------------------------------------

async function play(market, path) {
    const shop = await admitted(market, 'shop');
    const kept = Object.fromEntries(SEATS.map((seat) => [seat, { notices: [], reports: [] }]));
    const seats = {}, secrets = [];
    for (const seat of SEATS) {
        seats[seat] = await admitted(market, seat);
        seats[seat].told = (method, notice) => kept[seat].notices.push(notice);
        await seats[seat].call('subscribe', { notices: true });
    }
    const bids = () => Promise.all(BIDS.map(([seat, bid]) => seats[seat].call('bid.put', { ...bid, cur: 'EUR' })));
    await bids();
    const delivered = [];
    for (let i = 0; i < 90; i++) {
        const user = { id: `person-${random(9)}`, identity: 'repeat', consent: ['profiling', 'third_party', 'sharing'] };
        const answer = await shop.call('contact', { id: `page-${market.run}-${i}`, container: 'page', user });
        secrets.push(answer.contact, user.id);
        if (i === 20) {  // who wins changes
            for (const [seat, id] of [['tea', 'green'], ['cola', 'can']]) await seats[seat].call('bid.withdraw', { id });
        }
        if (i === 40) await bids();
        for (const one of answer.placements) {
            secrets.push(one.placement);
            const report = (event) => shop.call('event', { placement: one.placement, event });
            if (random(6) === 0) {
                await report('cancelled');
                continue;
            }
            await report('delivered');
            if (one.kind === 'response') await report(random(3) === 0 ? 'declined' : 'accepted');
            delivered.push(one);
        }
    }
    await settled(() => sum(SEATS, (seat) => kept[seat].notices.length));
    // Orders: by the seat's own names of placements that it was told of; refunds in parts.
    for (const seat of ['chai', 'cola']) {
        const billed = new Set(kept[seat].notices.filter((one) => one.event === 'billing').map((one) => one.placement));
        const open = kept[seat].notices.filter((one) => one.event === 'win' && (one.kind === 'share' || billed.has(one.placement)));
        let number = 0;
        for (const win of open) {
            if (random(2) === 0) continue;
            const order = { order: `${seat}-order-${number++}`, cur: 'EUR', placement: win.placement, tagid: win.tagid, message: win.message };
            const amount = 1000003 + random(90000000);
            const reports = [{ ...order, event: 'converted', amount_micros: amount }];
            if (random(3) === 0) reports.push({ ...order, event: 'refunded', refund: 'r-1', amount_micros: 1 + random(amount - 1) });
            if (random(9) === 0 && reports.length > 1)
                reports.push({ ...order, event: 'refunded', refund: 'r-2', amount_micros: amount - reports[1].amount_micros });
            for (const one of reports) {
                try {
                    await seats[seat].call('event', one);
                } catch (error) {
                    assert.equal(error.reason, 'early', error.message);  // a share won and cancelled: not shown
                    assert.ok(!JSON.stringify(error).match(/house|tea\b|mate/));
                    break;
                }
                kept[seat].reports.push({ ...one, share_ppm: win.share_ppm ?? 0 });
            }
        }
    }
    await settled(() => sum(SEATS, (seat) => kept[seat].notices.length));
    for (const rpc of [shop, ...Object.values(seats)]) await rpc.close();
    fs.writeFileSync(path, JSON.stringify({ kept, secrets: [...new Set(secrets)] }));
    say(`kept ${SEATS.map((seat) => `${seat} ${kept[seat].notices.length}`).join(', ')} notices`);
}

// --- Check ---------------------------------------------------------------------------------------

async function documents(rpc, period) {
    const { statements } = await rpc.call('statement.list');
    const found = {};
    for (const { format, bytes } of statements.find((one) => one.period === period).files) {
        const pieces = [];
        for (let offset = 0; offset !== undefined;) {
            const piece = await rpc.call('statement.get', { period, format, offset });
            assert.equal(piece.offset, offset);
            assert.ok(piece.data.length <= 32768);
            pieces.push(piece.data);
            offset = piece.next;
        }
        found[format] = Buffer.concat(pieces);
        assert.equal(found[format].length, bytes);
    }
    return found;
}

function rows(csv) {
    const [heading, ...lines] = csv.toString('utf8').trimEnd().split('\n').map((line) => line.split(','));
    return lines.map((line) => Object.fromEntries(heading.map((name, i) => [name, line[i] ?? ''])));
}

// Whole cents by the largest remainder, as docs/statements.md says.
function cents(amounts) {
    const floor = (value, by) => value / by - (value % by < 0n ? 1n : 0n);
    const total = sum(amounts, (one) => one) / 10000n;
    const parts = amounts.map((value) => floor(value, 10000n));
    const rest = amounts.map((value, i) => [value - parts[i] * 10000n, i]).sort((a, b) => (a[0] < b[0]) - (a[0] > b[0]) || a[1] - b[1]);
    let left = total - sum(parts, (one) => one);
    for (let i = 0; left > 0n; i++, left--) parts[rest[i % rest.length][1]]++;
    return { total: total * 10000n, parts: parts.map((part) => part * 10000n) };
}

const text = (micros) => `${micros < 0n ? '-' : ''}${(micros < 0n ? -micros : micros) / 1000000n}.` +
    String((micros < 0n ? -micros : micros) / 10000n % 100n).padStart(2, '0');

// A share of what remains of an order, half to even.
function share(micros, ppm) {
    const exact = micros * ppm, down = exact / 1000000n, rest = exact % 1000000n * 2n;
    return down + (rest > 1000000n || (rest === 1000000n && down % 2n === 1n) ? 1n : 0n);
}

// What its own notices and reports come to, line by line of its placements.
function fromNotices(seat, { notices, reports }) {
    const lines = {};
    const line = ({ tagid, message }) => lines[`${tagid} ${message}`] ??= { won: 0n, converted: 0n, refunded: 0n, revenue: 0n, amount: 0n, owed: 0n };
    for (const one of notices) {
        assert.notEqual(one.event, 'dropped');
        if (one.event === 'win') line(one).won++;
        if (one.event === 'billing') line(one).amount += BigInt(one.price_micros);
    }
    const orders = {};
    for (const one of reports) {
        const back = one.event === 'refunded', amount = BigInt(one.amount_micros) * (back ? -1n : 1n);
        const of = line(one);
        of[one.event]++;
        of.revenue += amount;
        (orders[one.order] ??= { of, ppm: BigInt(one.share_ppm), left: 0n }).left += amount;
    }
    for (const { of, ppm, left } of Object.values(orders)) {
        of.amount += share(left, ppm);
        if (seat === 'chai') of.owed += share(left, GAIN_PPM);
    }
    return lines;
}

const SECTION_OF = { house: 'bought', front: 'bought', mate: 'prepaid' };

// What the reconciliation rows come to, section by section and line by line.
function fromRows(seat, all) {
    const found = {}, own = SECTION_OF[seat] ?? 'charged';
    const line = (section, { slot, message, rung }) => (found[section] ??= {})[`${slot} ${message} ${rung}`] ??=
        { amount: 0n, won: 0n, delivered: 0n, not_shown: 0n, converted: 0n, refunded: 0n };
    for (const row of all) {
        const amount = BigInt(row.amount_micros || 0);
        if (row.event === 'entry') {
            line(row.kind, row).amount += amount;
            continue;
        }
        const of = line(own, row);
        if (row.event === 'billing' || row.event === 'commission') of.amount += amount;
        if (row.event === 'win') of.won++;
        if (row.event === 'delivered') of.delivered++;
        if (row.event === 'ended') of.not_shown++;
        if (row.event in { converted: 1, refunded: 1 }) of[row.event]++;
    }
    return found;
}

function checkLines(seat, csv, known, ours) {
    const own = SECTION_OF[seat] ?? 'charged';
    for (const section of new Set(csv.filter((row) => row.section !== 'account').map((row) => row.section))) {
        const of = csv.filter((row) => row.section === section && row.what === 'line');
        const exact = cents(of.map((row) => BigInt(row.amount_micros)));
        of.forEach((row, i) => {
            const slot = row.slot && `${row.container}.${row.slot}`, where = `${seat} ${section} ${slot} ${row.message}`;
            if (section !== 'due') assert.equal(row.amount, text(exact.parts[i]), where);
            const there = ours[section]?.[`${slot} ${row.message} ${row.rung}`];
            assert.ok(there, `no reconciliation row says ${where}`);
            assert.equal(BigInt(row.amount_micros), there.amount, where);
            const told = known[`${slot} ${row.message}`];
            if (section === own) {
                for (const name of ['won', 'delivered', 'not_shown', 'converted', 'refunded'])
                    assert.equal(BigInt(row[name]), there[name], `${where}: ${name}`);
                assert.deepEqual([row.won, row.converted, row.refunded, row.revenue_micros, row.amount_micros].map(BigInt),
                    [told.won, told.converted, told.refunded, told.revenue, told.amount], `${where}: notices`);
            }
            if (section === 'owed') assert.equal(BigInt(row.amount_micros), told.owed, `${where}: the rate of the revenue`);
        });
        for (const [key, one] of Object.entries(ours[section] ?? {}))
            if (one.amount !== 0n) assert.ok(of.some((row) => key.startsWith(`${row.container}.${row.slot} ${row.message}`)), `no line of ${section} ${key}`);
        const of_what = (what) => BigInt(csv.find((row) => row.section === section && row.what === what).amount_micros);
        const all = sum(of, (row) => row.amount_micros);
        assert.equal(of_what('total') + of_what('carried_out'), all + of_what('carried_in'), `${seat} ${section}`);
        assert.equal(of_what('total'), all / 10000n * 10000n, `${seat} ${section}`);
    }
}

function checkAccounts(seat, csv) {
    for (const code of new Set(csv.filter((row) => row.section === 'account').map((row) => row.slot))) {
        const of = csv.filter((row) => row.section === 'account' && row.slot === code);
        const closing = of.find((row) => row.what === 'closing');
        assert.equal(sum(of.filter((row) => row !== closing), (row) => row.amount_micros), BigInt(closing.amount_micros), `${seat} ${code}`);
    }
}

function checkInvoices(seat, found, csv) {
    const totals = (names) => sum(csv.filter((row) => row.what === 'total' && names.includes(row.section)), (row) => row.amount_micros);
    for (const [format, names] of [['invoice', ['charged', 'prepaid', 'due', 'corrections']], ['selfbill', ['payable']]]) {
        if (!found[format]) {
            assert.equal(SECTION_OF[seat] === 'bought' ? 0n : totals(names), 0n, `${seat} has no ${format}`);
            continue;
        }
        const xml = found[format].toString('utf8');
        const nets = [...xml.matchAll(/<cbc:LineExtensionAmount[^>]*>(-?\d+)\.(\d\d)</g)].map((one) => BigInt(one[1] + one[2]) * 10000n);
        const sign = xml.includes('<CreditNote ') ? -1n : 1n;
        assert.equal(nets[0] * sign, totals(names), `${seat} ${format}`);
        assert.equal(sum(nets.slice(1), (one) => one), nets[0]);
    }
}

// Nothing of another seat, no name that the host or another seat has for something.
function checkPrivacy(seat, shown, { kept, secrets }) {
    const words = [], ids = new Set(secrets);
    for (const other of SEATS.filter((one) => one !== seat)) {
        words.push(other);
        for (const one of kept[other].notices) for (const name of ['placement', 'bid', 'auction']) if (one[name]) ids.add(one[name]);
        for (const one of kept[other].reports) ids.add(one.order);
    }
    const names = new RegExp(`\\b(${words.join('|')})\\b|\\b(${words.join('|')})[-._]`, 'i');
    for (const [format, all] of Object.entries(shown)) {
        const clean = seat === 'house' ? all : all.replaceAll(/<cbc:ID>host<\/cbc:ID>/g, '');
        assert.ok(!names.test(clean), `${seat} ${format}: ${clean.match(names)?.[0]} at ${clean.slice(Math.max(0, clean.search(names) - 80)).slice(0, 160)}`);
        for (const id of ids) assert.ok(!all.includes(id), `${seat} ${format}: ${id}`);
    }
}

async function check(market, path, period) {
    const told = JSON.parse(fs.readFileSync(path));
    let lines = 0;
    for (const seat of SEATS) {
        const rpc = await market.rpc(seat);
        const found = await documents(rpc, period);
        for (const format of ['text', 'csv', 'json', 'pdf', 'reconcile']) assert.ok(found[format], `${seat} has no ${format}`);
        const digest = createHash('sha256').update(found.csv).digest('hex');
        assert.ok(found.text.includes(`Digest ${digest}`));
        assert.ok(JSON.stringify(JSON.parse(found.json)).includes(digest));
        assert.equal(found.pdf.subarray(0, 5).toString(), '%PDF-');
        const csv = rows(found.csv), reconciled = rows(found.reconcile);
        checkLines(seat, csv, fromNotices(seat, told.kept[seat]), fromRows(seat, reconciled));
        checkAccounts(seat, csv);
        checkInvoices(seat, found, csv);
        const refusals = [];
        for (const asked of [{ period: '2019-01', format: 'csv' }, { period: `../${SEATS.find((one) => one !== seat)}/${period}`, format: 'csv' }])
            await rpc.call('statement.get', asked).then(() => assert.fail('a statement of another'), (error) => refusals.push(error.text));
        const shown = Object.fromEntries(Object.entries(found).filter(([format]) => format !== 'pdf').map(([format, bytes]) => [format, bytes.toString('utf8')]));
        checkPrivacy(seat, { ...shown, reasons: JSON.stringify(await rpc.call('reasons')), bids: JSON.stringify(await rpc.call('bid.list')),
            notices: JSON.stringify(told.kept[seat].notices) }, told);
        lines += csv.filter((row) => row.what === 'line').length;
        await rpc.close();
    }
    assert.ok(lines > 10);
    console.log(`node: ok ${lines} lines of ${SEATS.length} statements worked out`);
}

const [verb, kept, period] = process.argv.splice(2, 3);
const market = new Market();
(verb === 'play' ? play(market, kept) : check(market, kept, period)).catch((error) => {
    console.error(`node: FAILED: ${error.stack}`);
    process.exit(1);  // connections that are still open would keep us here
});
