// A WebSocket by hand, for frames that no library would send.
import { randomBytes } from 'node:crypto';
import { until, within } from './wait.mjs';

export class RawSocket {
  /** Opens and upgrades; `lines` replaces the request's lines after the first, `first` that one. */
  static async open(server, path = '/ws/shopper', { headers = [], first, lines } = {}) {
    const s = new RawSocket();
    s.tcp = server.connect();
    s.bytes = Buffer.alloc(0);
    s.messages = [];
    s.pongs = [];
    s.code = null; // of the close frame that came
    s.ended = new Promise((done) => {
      s.tcp.on('close', () => {
        s.isEnded = true;
        done();
      });
    });
    s.tcp.on('error', () => {});
    s.tcp.on('data', (d) => {
      s.bytes = Buffer.concat([s.bytes, d]);
      if (s.head !== undefined) s.parse();
    });
    const request = [
      first ?? `GET ${path} HTTP/1.1`,
      ...(lines ?? [
        `Host: ${server.host}:${server.port}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Protocol: firstline.v1',
        ...headers,
      ]),
    ];
    s.tcp.write(`${request.join('\r\n')}\r\n\r\n`);
    const at = await until(() => s.bytes.indexOf('\r\n\r\n') + 1 || (s.isEnded ? -1 : 0), 'an answer to the upgrade', 10_000, 5);
    s.head = at > 0 ? s.bytes.subarray(0, at - 1).toString('latin1') : '';
    s.status = Number(s.head.split(' ')[1] ?? 0);
    s.bytes = s.bytes.subarray(Math.max(at + 3, 0));
    s.parse();
    return s;
  }

  parse() {
    for (;;) {
      const b = this.bytes;
      if (b.length < 2) return;
      let n = b[1] & 127;
      let at = 2;
      if (n === 126) {
        if (b.length < 4) return;
        n = b.readUInt16BE(2);
        at = 4;
      } else if (n === 127) {
        if (b.length < 10) return;
        n = Number(b.readBigUInt64BE(2));
        at = 10;
      }
      if (b.length < at + n) return;
      const data = b.subarray(at, at + n);
      this.bytes = b.subarray(at + n);
      const op = b[0] & 15;
      if (op === 1) this.messages.push(JSON.parse(data.toString()));
      if (op === 8) this.code ??= n >= 2 ? data.readUInt16BE(0) : 1005;
      if (op === 10) this.pongs.push(data.toString());
    }
  }

  /** One frame. op: opcode; fin, mask, rsv: as named; length: what the header claims instead of the truth. */
  frame(op, data = '', { fin = true, mask = true, rsv = 0, length } = {}) {
    const payload = Buffer.isBuffer(data) ? data : Buffer.from(data);
    const n = length ?? payload.length;
    const m = mask ? 0x80 : 0;
    let head;
    if (n < 126) head = Buffer.from([0, m | n]);
    else if (n < 65536) {
      head = Buffer.alloc(4);
      head[1] = m | 126;
      head.writeUInt16BE(n, 2);
    } else {
      head = Buffer.alloc(10);
      head[1] = m | 127;
      head.writeBigUInt64BE(BigInt(n), 2);
    }
    head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
    if (!mask) return Buffer.concat([head, payload]);
    const key = randomBytes(4);
    const masked = Buffer.from(payload);
    for (let i = 0; i < masked.length; i++) masked[i] ^= key[i & 3];
    return Buffer.concat([head, key, masked]);
  }

  send(...args) {
    this.tcp.write(this.frame(...args));
  }

  json(m) {
    this.send(1, JSON.stringify(m));
  }

  /** The message that fits, from all that came. */
  expect(fits, what = 'a message', ms = 8000) {
    return until(() => this.messages.find(fits), () => `${what}; have ${JSON.stringify(this.messages).slice(-300)}, closed with ${this.code}`, ms, 5);
  }

  /** The code with which the server closes; null if it only cut the line. */
  async closing(ms = 12_000) {
    await within(
      until(() => this.code !== null || this.isEnded, 'the server closes', ms, 5),
      ms + 1000,
      'the server closes',
    );
    const { code } = this;
    this.tcp.destroy();
    return code;
  }

  end() {
    this.tcp.destroy();
  }
}
