// A rep without a screen, for tests that look at other screens: signs in over HTTP, speaks the protocol.
import { require } from './paths.mjs';
import { PASSWORD } from './server.mjs';
import { until } from './wait.mjs';

const WebSocket = require('ws');

export class Staff {
  static async come(origin, login, { shift = true } = {}) {
    const s = new Staff();
    const answer = await fetch(`${origin}/api/v1/session`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-firstline': '1', origin }, body: JSON.stringify({ login, password: PASSWORD }),
    });
    if (answer.status !== 200) throw new Error(`${login} can't sign in: ${answer.status} ${await answer.text()}`);
    s.cookie = answer.headers.get('set-cookie').split(';')[0];
    s.me = (await answer.json()).person;
    s.inbox = [];
    s.waits = new Map();
    s.n = 0;
    s.ws = new WebSocket(`${origin.replace('http', 'ws')}/ws/rep`, ['firstline.v1'], { headers: { cookie: s.cookie }, origin });
    s.ws.on('message', (data) => {
      const m = JSON.parse(data.toString());
      s.inbox.push(m);
      s.waits.get(m.re)?.(m);
    });
    s.ws.on('error', () => {});
    await new Promise((yes, no) => {
      s.ws.once('open', yes);
      s.ws.once('error', no);
    });
    s.welcome = await s.call({ t: 'hello' });
    if (shift) await s.call({ t: 'shift.start', capacity: 50 });
    return s;
  }

  /** Sends a command and gives its answer; throws on an error. */
  async call(command) {
    const id = `t${++this.n}_${Date.now().toString(36)}`;
    const answer = await new Promise((done) => {
      this.waits.set(id, done);
      this.ws.send(JSON.stringify({ id, ...command }));
    });
    this.waits.delete(id);
    if (answer.t === 'error') throw Object.assign(new Error(`${command.t}: ${answer.code} ${answer.message}`), { answer });
    return answer;
  }

  /** Waits for a message that fits; each is taken once. */
  async take(fits, what = 'a message') {
    return until(() => {
      const at = this.inbox.findIndex(fits);
      return at < 0 ? null : this.inbox.splice(at, 1)[0];
    }, () => `${this.me.name}: ${what}; got ${this.inbox.map((m) => m.kind ?? m.t).slice(-12)}`);
  }

  /** Accepts the next offer whose first text holds `text`; gives the chat. */
  async accept(text = '') {
    const offer = await this.take((m) => m.t === 'offer' && m.kind !== 'ended' && (m.card?.first_text ?? '').includes(text), `an offer of ${text}`);
    await this.call({ t: 'offer.accept', chat: offer.chat });
    return offer.chat;
  }

  say(chat, text) {
    return this.call({ t: 'message.send', chat, text });
  }

  resolve(chat, summary) {
    return this.call({ t: 'chat.resolve', chat, resolution: 'answered', summary });
  }

  leave() {
    this.ws.close();
  }
}

/** A shopper without a screen. */
export class Guest {
  static async come(origin, { name, locale = 'en' } = {}) {
    const g = Object.assign(new Guest(), { inbox: [], waits: new Map(), n: 0, me: { name } });
    g.ws = new WebSocket(`${origin.replace('http', 'ws')}/ws/shopper`, ['firstline.v1'], { origin });
    g.ws.on('message', (data) => {
      const m = JSON.parse(data.toString());
      g.inbox.push(m);
      g.waits.get(m.re)?.(m);
    });
    g.ws.on('error', () => {});
    await new Promise((yes, no) => {
      g.ws.once('open', yes);
      g.ws.once('error', no);
    });
    g.welcome = await g.call({ t: 'hello', locale, page: `${origin}/`, ...(name ? { name } : {}) });
    return g;
  }

  async start(text, more = {}) {
    const ok = await this.call({ t: 'chat.start', text, ...more });
    this.chat = ok.chat;
    return ok.chat;
  }

  say(text) {
    return this.call({ t: 'message.send', chat: this.chat, text });
  }
}
for (const method of ['call', 'take', 'leave']) Guest.prototype[method] = Staff.prototype[method];
