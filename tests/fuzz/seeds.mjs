// Where fuzzing begins: node seeds.mjs DIR writes a folder of samples for each target, from what the repository has.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const out = process.argv[2];
const read = (path) => readFileSync(join(root, path), 'utf8');
const list = (dir, end) => readdirSync(join(root, dir), { recursive: true }).filter((f) => f.endsWith(end)).map((f) => join(dir, f));

function put(target, samples) {
  mkdirSync(join(out, target), { recursive: true });
  samples.forEach((s, i) => writeFileSync(join(out, target, `seed-${String(i).padStart(3, '0')}`), s));
}

/** A value that a schema would take: enough to come through the gate. */
function sample(schema) {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf ?? schema.oneOf) return sample((schema.anyOf ?? schema.oneOf)[0]);
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, v]) => [k, sample(v)]));
  if (type === 'array') return [sample(schema.items ?? { type: 'string' })];
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  return schema.pattern || /id/.test(schema.description ?? '') ? 'c_1' : '退款 refund';
}

const frames = list('schema/protocol/client', '.json').map((f) => JSON.stringify({ ...sample(JSON.parse(read(f))), id: 'a1' }));
const entries = list('schema/protocol/event', '.json').map((f) => {
  const kind = f.split('/').at(-1).replace('.json', '');
  return JSON.stringify({ t: 'event', chat: 'c_1', seq: 7, at: 1764000000000, kind, from: { role: 'rep', id: 'r_1', name: 'Mei' }, ...sample(JSON.parse(read(f))), });
});
const claims = { iss: 'shop', aud: 'default', sub: 'u1', name: '王芳', exp: 1764000600, nbf: 1763999999, jti: 'j1', class: 'vip', locale: 'zh-CN' };

put('frame', frames);
put('entry', [...entries, ...entries.map((e) => `1 0 r_1 a1\n${e}`)]);
put('head', [
  'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n',
  'GET /ws/shopper HTTP/1.1\r\nHost: h:8080\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: firstline.v1\r\nOrigin: https://shop.example\r\n\r\n',
  'POST /api/v1/session?q=%E9%80%80&x HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\nContent-Type: application/json\r\nCookie: a=b; firstline_session="x"\r\nX-Forwarded-For: 1.2.3.4, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nExpect: 100-continue\r\n\r\n',
  'HEAD /a%20b/./c HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
]);
put('config', [
  '[server]\nlisten = 127.0.0.1:0\n[limits]\nburst = 5\nidle_ping_ms = 25s\n',
  '[site.shop]\norigins = https://a.example, https://b.example\ngreeting_zh = 您好！\n  请问\n[department.sales]\nsite = shop\nhours = mon-fri 09:00-18:00\nholidays = 2026-10-01..2026-10-07\nkeywords = a, # b, 退款\n',
  '[canned.way]\ntext_en = Your order {order}; it left\n[class.vip]\nweight = 2\n',
]);
put('article', [...list('kb', '.md').slice(0, 30).map(read), '---\nid: x\ntitle: T\nlang: en\n---\n<script>a</script> [x](javascript:alert(1)) ![y](data:z) | a | b |\n|---|---|\n| 1 | 2 |\n']);
put('words', ['我要退款 refund', "can't \"NEAR(a b)\" AND * -x ^y :z", 'ＦＵＬＬ ｗｉｄｔｈ', 'ไทย ລາວ မြန်မာ', '👩‍👩‍👧 \u202e \u200b', ...list('kb', '.md').slice(0, 6).map((f) => read(f).slice(0, 600))]);
put('identity', [`\0${JSON.stringify(claims)}`, `\0${JSON.stringify({ ...claims, aud: ['default'], exp: 1e400 })}`, `\x1b{"alg":"HS256","typ":"JWT"}${JSON.stringify(claims)}`, `\x0f{"alg":"none"}${JSON.stringify(claims)}`]);
