// What must hold whatever happened (PROMISES 4): each ok is in the archive exactly once, with its seq and its text, in the order sent;
// no log has a hole; what clients were shown is what stands there; `archive verify` is clean.
import assert from 'node:assert/strict';
import { end } from './server.mjs';

/** chat → entries, from `archive export`. */
export async function exported(server) {
  const { out } = await server.cli(['archive', 'export']);
  const chats = new Map();
  for (const line of out.split('\n')) {
    if (!line) continue;
    const e = JSON.parse(line);
    if (!e.chat?.startsWith('c_')) continue;
    if (!chats.has(e.chat)) chats.set(e.chat, []);
    chats.get(e.chat).push(e);
  }
  return chats;
}

export function checkLogs(chats) {
  for (const [chat, entries] of chats) {
    const seqs = entries.map((e) => e.seq);
    assert.deepEqual(seqs, Array.from(seqs, (_, i) => i + 1), `${chat}: the seqs of the log`);
    for (let i = 1; i < entries.length; i++) assert.ok(entries[i].at >= entries[i - 1].at, `${chat}: entry ${i + 1} is older than the one before`);
    assert.ok(entries.filter((e) => e.kind === 'owned').length <= 1, `${chat}: one owner`);
  }
}

const WRITES = { 'message.send': 'message', 'chat.start': 'message', 'note.add': 'note', whisper: 'whisper', 'consult.answer': 'consult_answered' };

/** Every ok of these clients stands in the log, once, as it was said, in the order of sending. */
export function checkOks(chats, clients) {
  const written = new Map(); // chat, person, kind, text → seqs
  const asked = new Map(); // person, text → ids, answered or not
  const key = (...parts) => parts.join('\0');
  for (const c of clients) {
    const last = new Map();
    for (const [id, cmd] of c.sent) {
      if (WRITES[cmd.t]) asked.set(key(c.me, cmd.text), (asked.get(key(c.me, cmd.text)) ?? new Set()).add(id));
      const ok = c.oks.get(id);
      if (!ok?.seq || !ok.chat) continue;
      const e = chats.get(ok.chat)?.[ok.seq - 1];
      assert.ok(e, `${ok.chat}: ${cmd.t} was acknowledged as seq ${ok.seq}, and the archive holds ${chats.get(ok.chat)?.length ?? 'nothing'}`);
      if (!WRITES[cmd.t]) continue;
      assert.deepEqual([e.kind, e.text, e.from.id], [WRITES[cmd.t], cmd.text, c.me], `${ok.chat} seq ${ok.seq}: what was acknowledged`);
      const k = key(ok.chat, c.me, e.kind, e.text);
      written.set(k, (written.get(k) ?? new Set()).add(ok.seq));
      if (c.times.get(id) > 1) continue;
      assert.ok(ok.seq > (last.get(ok.chat) ?? 0), `${ok.chat} seq ${ok.seq}: ${JSON.stringify(e.text)} overtook another of the same sender`);
      last.set(ok.chat, ok.seq);
    }
  }
  for (const [k, seqs] of written) {
    const [chat, person, kind, text] = k.split('\0');
    const stands = chats.get(chat).filter((e) => e.kind === kind && e.text === text && e.from.id === person);
    assert.ok(stands.length >= seqs.size, `${chat}: ${JSON.stringify(text)} stands too seldom`);
    assert.ok(stands.length <= asked.get(key(person, text)).size, `${chat}: ${JSON.stringify(text)} stands ${stands.length} times`);
  }
}

/** What was shown is what stands in the archive. */
export function checkViews(chats, clients) {
  for (const c of clients)
    for (const [chat, view] of c.views)
      for (const shown of view.entries) {
        const e = chats.get(chat)?.[shown.seq - 1];
        assert.ok(e, `${chat} seq ${shown.seq} (${shown.kind}) was shown and is not in the archive`);
        const { prev: _p, ref: _r, ...mine } = shown;
        const { prev: _q, ref: _s, ...theirs } = e;
        if (!c.isShopper) assert.deepEqual(mine, theirs, `${chat} seq ${shown.seq}: as the rep was shown it`);
        else assert.deepEqual([mine.kind, mine.at, mine.text], [theirs.kind, theirs.at, theirs.text === undefined ? mine.text : theirs.text], `${chat} seq ${shown.seq}: as the shopper was shown it`);
      }
}

export function checkClients(clients) {
  for (const c of clients) assert.deepEqual(c.problems.slice(0, 5), [], `what a ${c.isShopper ? 'shopper' : 'rep'} was sent`);
}

/** The nodes of one Redis share one archive. */
async function checkArchive(nodes) {
  const holder = nodes.find((s) => s.holdsArchive) ?? nodes[0];
  const clients = nodes.flatMap((s) => s.clients);
  const verify = await holder.cli(['archive', 'verify'], { fails: true });
  assert.equal(verify.code, 0, `archive verify: ${verify.err || verify.out}`);
  const chats = await exported(holder);
  checkLogs(chats);
  checkOks(chats, clients);
  checkViews(chats, clients);
}

/** Ends these servers in good manners and checks all of the above. For after(). */
export async function endAndCheck(...some) {
  const servers = some.filter((s) => s?.process);
  try {
    for (const s of servers) {
      for (const c of s.clients) c.drop();
      const exit = await s.stop();
      assert.deepEqual({ code: exit.code, signal: exit.signal }, { code: 0, signal: null }, `SIGTERM: ${s.tail()}`);
      if (!s.redis) assert.deepEqual(s.redisPids(), [], 'its redis-server is stopped too');
    }
    checkClients(servers.flatMap((s) => s.clients));
    const archives = new Map();
    for (const s of servers) archives.set(s.redis ?? s.data, [...(archives.get(s.redis ?? s.data) ?? []), s]);
    for (const nodes of archives.values()) await checkArchive(nodes);
  } finally {
    await end(...servers);
  }
}
