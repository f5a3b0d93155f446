import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChatLog, entryOf } from './log.js';
import type { EventEntry, ServerOk } from './types.js';

function entry(seq: number, prev?: number, extra: Partial<EventEntry> = {}): EventEntry {
  return { t: 'event', chat: 'c_1', seq, at: seq, kind: 'message', text: `m${seq}`, from: { role: 'rep', id: 'r_1' }, ...(prev === undefined ? {} : { prev }), ...extra } as EventEntry;
}

function world(from = 0) {
  const synced: number[] = [];
  const voided: EventEntry[] = [];
  const log = new ChatLog('c_1', { sync: (after) => synced.push(after), changed: () => undefined, voided: (gone) => voided.push(...gone) }, from);
  return { log, synced, voided, shown: () => log.entries.map((e) => e.seq) };
}

test('entries that follow are shown at once', () => {
  const w = world();
  [entry(1, 0), entry(4, 1), entry(9, 4)].forEach((e) => w.log.take(e));
  assert.deepEqual(w.shown(), [1, 4, 9]);
  assert.equal(w.log.cursor, 9);
  assert.deepEqual(w.synced, []);
});

test('what lies behind a hole is held back, and the hole is asked for once', () => {
  const w = world();
  [entry(1, 0), entry(7, 5), entry(8, 7)].forEach((e) => w.log.take(e));
  assert.deepEqual(w.shown(), [1]);
  assert.equal(w.log.cursor, 1);
  assert.equal(w.log.hasHole, true);
  assert.deepEqual(w.synced, [1]);
  w.log.take(entry(5, 1));
  assert.deepEqual(w.shown(), [1, 5, 7, 8]);
});

test('the answer to sync is complete up to its head', () => {
  const w = world();
  [entry(1, 0), entry(7, 5)].forEach((e) => w.log.take(e));
  w.log.take(entry(5, 1));
  w.log.synced(12);
  assert.deepEqual(w.shown(), [1, 5, 7]);
  assert.equal(w.log.cursor, 12);
  w.log.take(entry(13, 7)); // hidden entries stand between: no hole
  assert.deepEqual(w.shown(), [1, 5, 7, 13]);
  assert.equal(w.log.hasHole, false);
});

test('nothing is shown twice, in whatever order it comes again', () => {
  const w = world();
  for (const seq of [1, 2, 3, 2, 1, 3]) w.log.take(entry(seq));
  w.log.synced(3);
  w.log.take(entry(3));
  assert.deepEqual(w.shown(), [1, 2, 3]);
});

test('staff count by seq where no prev is given', () => {
  const w = world();
  [entry(1), entry(2), entry(4)].forEach((e) => w.log.take(e));
  assert.deepEqual(w.shown(), [1, 2]);
  assert.deepEqual(w.synced, [2]);
  w.log.take(entry(3));
  assert.deepEqual(w.shown(), [1, 2, 3, 4]);
});

test('an own message from its ok stands in its place', () => {
  const w = world();
  w.log.take(entry(1, 0));
  const made = entryOf({ t: 'message.send', id: 'x1', chat: 'c_1', text: 'hi' }, { t: 'ok', re: 'x1', seq: 3, prev: 2, at: 3 } as ServerOk, { role: 'shopper' }, 0);
  w.log.take(made as EventEntry);
  assert.deepEqual(w.shown(), [1], 'an entry before it has not come yet');
  w.log.take(entry(2, 1));
  assert.deepEqual(w.shown(), [1, 2, 3]);
  assert.equal(w.log.entries[2]?.ref, 'x1');
});

test('a command whose entry cannot be made here is fetched', () => {
  const w = world();
  w.log.take(entry(1));
  assert.equal(entryOf({ t: 'chat.claim', id: 'x', chat: 'c_1' }, { t: 'ok', re: 'x', seq: 2 } as ServerOk, { role: 'rep' }, 0), null);
  w.log.expect(2);
  assert.deepEqual(w.synced, [1]);
});

test('a failed sync is asked again after the next welcome', () => {
  const w = world();
  [entry(1), entry(3)].forEach((e) => w.log.take(e));
  w.log.syncFailed();
  w.log.welcomed(3, false);
  assert.deepEqual(w.synced, [1, 1]);
});

test('a new epoch voids what stands above the head, and gives back our own', () => {
  const w = world();
  [entry(1), entry(2), entry(3, 2, { from: { role: 'shopper' }, ref: 'x3' }), entry(4)].forEach((e) => w.log.take(e));
  w.log.welcomed(2, true);
  assert.deepEqual(w.shown(), [1, 2]);
  assert.equal(w.log.cursor, 2);
  assert.deepEqual(w.voided.map((e) => e.ref), ['x3', undefined]);
});

test('the same epoch with a lower head voids nothing', () => {
  const w = world();
  [entry(1), entry(2)].forEach((e) => w.log.take(e));
  w.log.welcomed(1, false);
  assert.deepEqual(w.shown(), [1, 2]);
});

test('the first entry of a new epoch says by its prev what stands', () => {
  const w = world();
  [entry(1), entry(2), entry(3)].forEach((e) => w.log.take(e));
  w.log.take(entry(1_000_001, 2));
  assert.deepEqual(w.shown(), [1, 2, 1_000_001]);
  assert.deepEqual(w.voided.map((e) => e.seq), [3]);
});

test('receipts only grow, and what is read was delivered', () => {
  const w = world();
  w.log.receipt(5, undefined);
  w.log.receipt(3, 7);
  w.log.receipt(undefined, 6);
  assert.equal(w.log.delivered, 7);
  assert.equal(w.log.read, 7);
});

test('any order, losses and repeats: the log ends whole, in order, each once', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  for (let round = 0; round < 300; round++) {
    const all: EventEntry[] = [];
    let prev = 0;
    for (let seq = 1; all.length < 20; seq++) {
      if (random() < 0.3) continue; // hidden from this audience
      all.push(entry(seq, prev));
      prev = seq;
    }
    const head = prev;
    let asked: number | null = null;
    const log: ChatLog = new ChatLog('c_1', { changed: () => undefined, sync: (after) => { asked = after; } });
    for (const e of all) {
      if (random() < 0.3) continue; // lost on the way
      log.take(e);
      if (random() < 0.3) log.take(all[Math.floor(random() * all.length)] as EventEntry);
      const seqs = log.entries.map((x) => x.seq);
      assert.deepEqual(seqs, all.slice(0, seqs.length).map((x) => x.seq), `seed ${seed}: a prefix, always`);
      if (asked !== null && random() < 0.5) {
        const after = asked;
        asked = null;
        for (const x of all) if (x.seq > after && x.seq <= e.seq) log.take(x);
        log.synced(e.seq);
      }
    }
    for (const x of all) if (x.seq > log.cursor) log.take(x);
    log.synced(head);
    assert.deepEqual(log.entries.map((x) => x.seq), all.map((x) => x.seq), `seed ${seed}`);
  }
});

test('what a new epoch lost is not waited for: neither asked for again and again nor shown later, and our own goes back', () => {
  const w = world();
  [entry(1, 0), entry(2, 1), entry(7, 6, { ref: 'mine' })].forEach((e) => w.log.take(e));
  assert.deepEqual(w.synced, [2]);
  w.log.welcomed(2, true);
  w.log.synced(2);
  assert.deepEqual(w.synced, [2]);
  assert.deepEqual(w.voided.map((e) => e.ref), ['mine']);
  w.log.take(entry(1_000_001, 2));
  assert.deepEqual(w.shown(), [1, 2, 1_000_001]);
});

test('the first entry of a new epoch voids what is held back as well', () => {
  const w = world();
  [entry(1, 0), entry(2, 1), entry(7, 6, { ref: 'mine' }), entry(1_000_001, 2)].forEach((e) => w.log.take(e));
  assert.deepEqual([w.shown(), w.voided.map((e) => e.ref)], [[1, 2, 1_000_001], ['mine']]);
});

test('what is redacted while it stands here leaves only its place, also where the two come in one breath', () => {
  const w = world();
  const redacted = (seq: number, of: number) => entry(seq, seq - 1, { kind: 'redacted', text: undefined, of } as Partial<EventEntry>);
  [entry(1, 0), entry(2, 1), redacted(3, 1), redacted(5, 4), entry(4, 3)].forEach((e) => w.log.take(e));
  w.log.take(redacted(2, 2)); // as it is read again: a tombstone in its own place
  assert.deepEqual(w.log.entries.map((e) => [e.seq, e.kind, 'text' in e ? e.text : undefined]), [1, 2, 3, 4, 5].map((seq) => [seq, 'redacted', undefined]));
  assert.equal(w.log.entries[0]?.at, 1, 'when it was said may be known');
});
