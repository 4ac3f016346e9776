// MessagePack-RPC over TLS 1.3 as docs/protocol.md describes it: Node's tls and @msgpack/msgpack, nothing else.
'use strict';
const tls = require('node:tls');
const fs = require('node:fs');
const { encode, decodeMultiStream } = require('@msgpack/msgpack');

class Refused extends Error {
    constructor(error) {
        super(`${error.reason} (${error.code}): ${error.text}`);
        Object.assign(this, error);
    }
}

class Rpc {
    // Resolves when the handshake is done; whether we are admitted shows with the first answer.
    static connect({ host, port, ca, cert, key }) {
        return new Promise((resolve, reject) => {
            const socket = tls.connect({
                host, port, minVersion: 'TLSv1.3', servername: /^[\d.:]+$/.test(host) ? '' : host,
                ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key),
            });
            socket.setNoDelay(true);
            socket.once('secureConnect', () => resolve(new Rpc(socket)));
            socket.once('error', reject);
        });
    }

    constructor(socket) {
        this.socket = socket;
        this.asked = null;  // async (method, params) => result: answers requests of the server
        this.told = null;   // (method, params): notifications
        this.waiting = new Map();
        this.id = 0;
        this.ended = this.read().catch((error) => error).then((why) => {
            const error = this.over = why ?? new Error('the server closed the connection');
            for (const { reject } of this.waiting.values()) reject(error);
            this.waiting.clear();
            return error;
        });
    }

    async read() {
        for await (const [type, ...rest] of decodeMultiStream(this.socket)) {
            if (type === 2) {
                if (rest[0] === 'refused') throw new Refused(rest[1][0]);
                this.told?.(rest[0], rest[1][0]);
                continue;
            }
            if (type === 0) {
                this.answer(...rest);
                continue;
            }
            const [id, error, result] = rest;
            const call = this.waiting.get(id);
            if (type !== 1 || !call) throw new Error(`an answer to what was not asked: ${type} ${id}`);
            this.waiting.delete(id);
            if (error) call.reject(new Refused(error));
            else call.resolve(result);
        }
    }

    call(method, params = {}) {
        if (this.over) return Promise.reject(this.over);
        const id = this.id++;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.socket.write(encode([0, id, method, [params]]));
        });
    }

    // A request of the server: what `asked` returns is the result, what it throws the error.
    async answer(id, method, [params]) {
        try {
            if (!this.asked) throw new Error(`nobody answers ${method}`);
            this.socket.write(encode([1, id, null, await this.asked(method, params)]));
        } catch (error) {
            this.socket.write(encode([1, id, { code: 567, reason: 'internal', text: error.message }, null]));
        }
    }

    async close() {
        this.socket.end();
        await this.ended;
    }
}

module.exports = { Rpc, Refused };
