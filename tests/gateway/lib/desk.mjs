// Setups in one line. They never assert: what matters stands in the test.
import { rep, shopper } from './client.mjs';

/** n accounts in one department of their own. */
export async function staff(server, n, { role = 'rep', department = server.newDepartment(), languages } = {}) {
  const who = await Promise.all(Array.from({ length: n }, () => server.account({ role, department, languages })));
  return who.map((w) => ({ ...w, department }));
}

/** n reps on shift in one department of their own. */
export async function team(server, n, { capacity = 20, shift = true, ...how } = {}) {
  return Promise.all((await staff(server, n, how)).map((w) => rep(server, w, { capacity, shift })));
}

/** A QA manager: may read all transcripts. */
export async function auditor(server) {
  return server.account({ role: 'qa' });
}

/** A shopper who has started a chat in this department. */
export async function arrival(server, department, { text = 'Where is my parcel?', hello = {}, ...fields } = {}) {
  const sue = await shopper(server, hello);
  const started = await sue.done('chat.start', { text, department, ...fields });
  return { sue, chat: started.chat, started };
}

/** Two reps on shift and a shopper who waits for one of them. */
export async function twoRepsOneWaitingShopper(server, how) {
  const [ann, bob] = await team(server, 2);
  return { ann, bob, ...(await arrival(server, ann.department, how)) };
}

/** One rep, one shopper, and the chat accepted and answered. */
export async function servedChat(server, { ann, ...how } = {}) {
  ann ??= (await team(server, 1))[0];
  const a = await arrival(server, ann.department, how);
  await take(ann, a.chat);
  return { ann, ...a };
}

/** Accepts the offer of this chat and replies. */
export async function take(r, chat, text = 'I will look into that for you.') {
  await r.expect('offer', { chat, kind: 'new' });
  await r.done('offer.accept', { chat });
  await r.say(text, { chat });
}

/** Ann serves the chat, Bob is on shift beside her. */
export async function servedChatWithColleague(server, how) {
  const [ann, bob] = await staff(server, 2);
  const a = await rep(server, ann);
  const served = await servedChat(server, { ann: a, ...how });
  return { ...served, bob: await rep(server, bob) };
}

/** One text proposed as answer and confirmed. */
export async function settled(sue, r, chat) {
  await r.done('chat.resolve', { chat, resolution: 'answered', summary: 'answered' });
  await sue.event('resolution_proposed', { chat });
  await sue.done('chat.confirm', { chat, solved: true });
}
