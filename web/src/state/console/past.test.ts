import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pastChats } from './past.js';

const at = (chat: string, handler: string | null) => ({ chat, handler: handler === null ? null : { id: handler } });

/** Answers one list after the other, the last one for good. Gives the chats that came and how often it was waited. */
async function ask(lists: object[][], handler: string | null) {
  let asked = 0;
  let waited = 0;
  globalThis.fetch = (async (path: string) => {
    assert.equal(path, '/api/v1/transcripts?limit=20&shopper=s_1%2F2');
    const items = lists[Math.min(asked++, lists.length - 1)];
    return { ok: true, status: 200, json: async () => ({ items }) };
  }) as unknown as typeof fetch;
  const got = await pastChats('s_1/2', 'c_now', handler, async () => void waited++);
  return { chats: got && got.map((p) => p.chat), waited };
}

test('past chats: the archive is asked until it knows who handles the chat now', async () => {
  const past = at('c_past', null);
  assert.deepEqual(await ask([[at('c_now', 'r_a'), past]], 'r_a'), { chats: ['c_past'], waited: 0 });
  assert.deepEqual(await ask([[at('c_now', 'r_a')]], 'r_a'), { chats: [], waited: 0 });
  assert.deepEqual(await ask([[], [at('c_now', null)], [at('c_now', 'r_a'), past]], 'r_a'), { chats: ['c_past'], waited: 2 });
  assert.deepEqual(await ask([[at('c_now', null), past]], null), { chats: ['c_past'], waited: 0 });
});

test('past chats: who may not read the chat learns nothing, and a late archive is no reason to wait for ever', async () => {
  assert.deepEqual(await ask([[]], 'r_a'), { chats: null, waited: 7 });
  assert.deepEqual(await ask([[at('c_now', 'r_b'), at('c_past', null)]], 'r_a'), { chats: ['c_past'], waited: 7 });
});
