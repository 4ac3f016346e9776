// A market for the scripts that send what no well-behaved client sends: its certificates by name, connections that
// take bytes as they are, and the command line they share.
'use strict';
const tls = require('node:tls');
const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { decodeMultiStream } = require('@msgpack/msgpack');
const { Rpc } = require('./rpc.js');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A connection that is written bytes and read as messages.
class Raw {
    constructor(socket) {
        this.socket = socket;
        this.inbox = [];
        this.ended = false;
        socket.on('error', () => {});
        this.reading = this.read();
    }

    async read() {
        try {
            for await (const message of decodeMultiStream(this.socket)) {
                this.inbox.push(message);
                this.wake?.();
            }
        } catch (error) {
            this.trouble = error;  // an alert, a reset, or bytes after the end
        }
        this.ended = true;
        this.wake?.();
    }

    write(bytes) {
        this.socket.write(bytes);
    }

    // The next messages, `count` or as many as come before the end (or 10 seconds).
    async messages(count) {
        const until = Date.now() + 10000;
        while (this.inbox.length < count && !this.ended && Date.now() < until)
            await Promise.race([new Promise((resolve) => { this.wake = resolve; }), sleep(until - Date.now())]);
        return this.inbox.splice(0, count);
    }

    async end() {
        this.socket.end();
        await this.reading;
    }
}

class Market {
    constructor() {
        const text = (fallback) => ({ type: 'string', default: fallback });
        this.given = parseArgs({
            options: {
                dir: { type: 'string' }, host: text('127.0.0.1'), port: text('7443'), seed: text(String(Date.now() % 1e9)),
                status: { type: 'string' }, pid: { type: 'string' }, bids: { type: 'string' }, contacts: { type: 'string' },
            },
        }).values;
        if (!this.given.dir) throw new Error('--dir DIR, the market directory, is missing; see README.md');
        this.given.status ??= `${this.given.dir}/run/auctiond.status`;
        this.run = `${this.given.seed}`;
    }

    // Options of a connection of `who`: a touchpoint or a seat whose certificate lies in the market directory.
    options(who) {
        const path = (kind) => ['touchpoint', 'seat'].map((role) => `${this.given.dir}/tls/${role}.${who}.${kind}`).find(fs.existsSync);
        return { host: this.given.host, port: Number(this.given.port), ca: `${this.given.dir}/tls/ca.crt`, cert: path('crt'), key: path('key') };
    }

    rpc(who) {
        return Rpc.connect(this.options(who));
    }

    // A TLS socket that nobody reads yet; `more` changes what TLS is offered.
    socket(who, more = {}) {
        const { host, port, ca, cert, key } = this.options(who);
        return new Promise((resolve, reject) => {
            const socket = tls.connect({ host, port, servername: '', minVersion: 'TLSv1.3', ca: fs.readFileSync(ca),
                ...(cert ? { cert: fs.readFileSync(cert), key: fs.readFileSync(key) } : {}), ...more });
            socket.setNoDelay(true);
            socket.once('secureConnect', () => resolve(socket));
            socket.once('error', reject);
        });
    }

    async raw(who, more = {}) {
        return new Raw(await this.socket(who, more));
    }
}

module.exports = { Market, Raw, sleep };
