// Signed identities: one that was overheard is of no use, and who it is about loses nothing.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { OwnRedis } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { Client, shopper } from './lib/client.mjs';
import { auditor } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';

const SECRET = 'a secret of the storefront, long enough';
const set = { 'site.default.jwt_secret': SECRET };
let server;

before(async () => (server = await new Server({ set }).start()));
after(() => endAndCheck(server));

const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');

/** What the storefront signs of a customer, with a number of its own. */
function identity(sub, more = {}) {
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, jti: randomBytes(9).toString('hex'), aud: 'default', iss: 'shop', exp: Math.floor(Date.now() / 1000) + 600, name: 'Sue', ...more })}`;
  return `${head}.${createHmac('sha256', SECRET).update(head).digest('base64url')}`;
}

test('an identity that came before is refused without its token, and who brings it goes on anonymously', async () => {
  const jwt = identity('cust-1');
  const sue = await shopper(server, { identity: jwt });
  assert.equal(sue.welcome.identity, 'accepted');
  await sue.done('chat.start', { text: 'My card number is …' });
  const thief = await shopper(server, { identity: jwt });
  assert.deepEqual([thief.welcome.identity, thief.welcome.chat, thief.welcome.shopper.name], ['refused', undefined, undefined]);
  assert.notEqual(thief.me, sue.me);
  const other = await shopper(server);
  const again = await shopper(server, { identity: jwt, token: other.token });
  assert.deepEqual([again.welcome.identity, again.me, again.token], ['refused', other.me, other.token]);
});

test('a bad identity is said, also by a site that takes none, and the shopper goes on anonymously', async () => {
  const s = await new Server().start();
  for (const [at, jwt] of [[server, 'no.jwt.at-all'], [s, identity('cust-9')], [s, 'nothing']]) {
    const sue = await shopper(at, { identity: jwt });
    assert.deepEqual([sue.welcome.identity, sue.welcome.shopper.name], ['refused', undefined]);
    await sue.done('chat.start', { text: 'All the same I have a question.' });
  }
  await endAndCheck(s);
});

test('the token that it was given, and the one that it came with, bring it again', async () => {
  const before = await shopper(server);
  const jwt = identity('cust-2');
  const sue = await shopper(server, { identity: jwt, token: before.token });
  assert.equal(sue.welcome.identity, 'accepted');
  assert.notEqual(sue.token, before.token);
  for (let i = 0; i < 2; i++) {
    const back = await shopper(server, { identity: jwt, token: sue.token });
    assert.deepEqual([back.welcome.identity, back.me, back.token], ['accepted', sue.me, sue.token]);
  }
  const unheard = await shopper(server, { identity: jwt, token: before.token }); // the first welcome never arrived
  assert.deepEqual([unheard.welcome.identity, unheard.me], ['accepted', sue.me]);
});

test('a new identity beside the own token uses up its number too', async () => {
  const { token, me } = await shopper(server, { identity: identity('cust-3') });
  const jwt = identity('cust-3');
  const sue = await shopper(server, { identity: jwt, token });
  assert.deepEqual([sue.welcome.identity, sue.me, sue.token], ['accepted', me, token]);
  assert.equal((await shopper(server, { identity: jwt })).welcome.identity, 'refused');
});

test('rule 1.2: urgent and VIP come from it, and no other class', async () => {
  const quinn = await auditor(server);
  for (const [says, becomes] of [['vip', 'vip'], ['urgent', 'urgent'], ['returning', 'normal'], [undefined, 'normal']]) {
    const sue = await shopper(server, { identity: identity(`cust-of-class-${says}`, { class: says }) });
    const { chat } = await sue.done('chat.start', { text: 'Where is my parcel?' });
    const t = await server.transcript(quinn.token, chat);
    assert.equal(t.events.find((e) => e.kind === 'started').class, becomes);
  }
});

test('of two who bring it at once one is taken', async () => {
  const jwt = identity('cust-4');
  const all = await Promise.all(Array.from({ length: 4 }, () => shopper(server, { identity: jwt })));
  assert.deepEqual(all.map((c) => c.welcome.identity).sort(), ['accepted', 'refused', 'refused', 'refused']);
});

test('where its number can’t be remembered it is neither taken nor refused', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, set }).start();
  const { token } = await shopper(s, { identity: identity('cust-5') });
  await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
  const c = await Client.open(s, '/ws/shopper', { origin: s.origin });
  const jwt = identity('cust-5');
  await c.refused('unavailable', 'hello', { identity: jwt, token, page: '/cart' });
  await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '0');
  assert.equal((await c.done('hello', { identity: jwt, token, page: '/cart/2' })).identity, 'accepted');
  await endAndCheck(s);
  await redis.kill();
});

test('after a hello that failed its connection may say another, as somebody else, who gets nothing of the first', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, set }).start();
  const jwt = identity('cust-6');
  const sue = await shopper(s, { identity: jwt });
  const { chat } = await sue.done('chat.start', { text: 'My card number is …', department: 'general' });
  await sue.close();
  const [key] = (await redis.ask('KEYS', `fl:*:l:${chat}`)).match(/fl:\S+/);
  const others = [await shopper(s), null];
  await s.stop();
  await s.start({ listen: `127.0.0.1:${s.port}` }); // the chat has to be read
  for (const other of others) {
    const c = await Client.open(s, '/ws/shopper', { origin: s.origin });
    await redis.ask('RENAME', key, 'aside');
    await redis.ask('HSET', key, 'not', 'this');
    await c.refused('unavailable', 'hello', { token: sue.token, identity: jwt });
    await redis.ask('RENAME', 'aside', key);
    const w = await c.done('hello', other ? { token: other.token } : {});
    c.me = w.shopper.id;
    assert.notEqual(c.me, sue.me);
    assert.deepEqual([w.chat, w.last, w.responsible, w.shopper.name], [undefined, undefined, undefined, undefined]);
    const own = await c.done('chat.start', { text: 'Where is my parcel?', department: 'general' });
    assert.notEqual(own.chat, chat);
  }
  await endAndCheck(s);
  await redis.kill();
});
