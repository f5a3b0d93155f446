// Rows 1–6: kill -9 of the gateway at an instant of a failpoint's choice.
import assert from 'node:assert/strict';
import { again, newId, rep } from '../../gateway/lib/client.mjs';
import { servedChatWithColleague } from '../../gateway/lib/desk.mjs';
import { until } from '../../gateway/lib/wait.mjs';

/** Under traffic, at each of these points `times` times. */
async function killAt(row, points, times) {
  const s = await row.server();
  await row.traffic(s, 2);
  for (const point of points)
    for (let k = 0; k < times; k++) {
      await row.more(row.r.int(3, 40));
      await row.dieAt(s, `${point}:kill:${row.r.int(1, 12)}`);
      await row.start(s);
      await row.recovers();
    }
  await row.more(10);
}

/** A handover and its acceptance, each cut off before and behind its commit. */
async function inHandover(row) {
  const s = await row.server();
  let { ann, bob, sue, chat } = await servedChatWithColleague(s);
  const back = async () => {
    await row.start(s);
    ann = await rep(s, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] });
    bob = await rep(s, bob.who, { shift: false });
    sue = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] });
  };
  /** Sends a command into a server that dies of it, then repeats it under its id. */
  const cutOff = async (point, client, t, fields) => {
    const id = newId();
    row.arm(s, `${point}:kill:1`);
    client().send(t, { ...fields, id });
    await until(() => s.exit, () => `dies at ${point} of ${t}; not taken: ${JSON.stringify(client().inbox.filter((m) => m.t !== 'queue')).slice(-300)}`);
    row.arm(s, '');
    row.inject(`${point} of ${t}: kill -9`);
    await back();
    return client().done(t, { ...fields, id });
  };
  for (const point of ['commit.before', 'commit.after']) {
    const card = { summary: 'a parcel', requirements: 'none', verified: [], promised: 'an answer' };
    await cutOff(point, () => ann, 'chat.transfer', { chat, to: bob.me, card });
    await ann.say('still mine while it is open', { chat });
    await cutOff(point, () => bob, 'offer.accept', { chat });
    await ann.refused('not_handler', 'message.send', { chat, text: 'not mine any more' });
    await bob.say(`mine now, ${point}`, { chat });
    await sue.event('message', { text: `mine now, ${point}` });
    [ann, bob] = [bob, ann];
    bob.view(chat);
  }
  row.held('one handler at each instant');
}

async function inDrain(row) {
  const s = await row.server();
  await row.traffic(s, 2);
  for (const point of ['drain.closed', 'drain.archived', 'drain.closed']) {
    await row.more(row.r.int(10, 60));
    row.arm(s, `${point}:kill:1`);
    s.process.kill('SIGTERM');
    await until(() => s.exit, `dies at ${point}`, 15_000);
    assert.equal(s.exit.signal, 'SIGKILL');
    row.inject(`SIGTERM, then ${point}: kill -9`);
    row.arm(s, '');
    row.over();
    await row.start(s);
    await row.recovers();
  }
  await row.more(10);
}

async function atStart(row) {
  const s = await row.server();
  await row.traffic(s, 2);
  for (const point of ['start.archive', 'start.up', 'start.ready', 'archive.before', 'start.up']) {
    await row.more(row.r.int(10, 60));
    await s.kill();
    row.arm(s, `${point}:kill:1`);
    await s.launch(`127.0.0.1:${s.port}`);
    await until(() => s.exit, `dies at ${point}`, 15_000);
    assert.equal(s.exit.signal, 'SIGKILL', s.tail());
    row.inject(`start, ${point}: kill -9`);
    row.arm(s, '');
    row.over();
    await row.start(s);
    await row.recovers();
  }
  await row.more(10);
}

export const rows = [
  { row: '1', title: 'kill -9 of the gateway before the commit', run: (row) => killAt(row, ['commit.before'], 4) },
  { row: '2', title: 'kill -9 of the gateway after the commit, before `ok`', run: (row) => killAt(row, ['commit.after'], 4) },
  { row: '3', title: 'kill -9 of the gateway after `ok`, before the fan-out', run: (row) => killAt(row, ['fanout.before', 'net.write'], 3) },
  { row: '4', title: 'kill -9 of the gateway in a handover', run: inHandover },
  { row: '5', title: 'kill -9 of the gateway in the drain', run: inDrain },
  { row: '6', title: 'kill -9 of the gateway at the start', run: atStart },
  { row: '7', title: 'kill -9 of the archive’s node before the transaction', run: (row) => killAt(row, ['feed.before', 'archive.before'], 2) },
  { row: '8', title: 'kill -9 of the archive’s node inside the transaction', run: (row) => killAt(row, ['archive.inside'], 4) },
  { row: '9', title: 'kill -9 of the archive’s node after the transaction', run: (row) => killAt(row, ['archive.committed', 'archive.sealed', 'feed.after'], 2) },
];
