// Acts on the open chat.
import { insertSuggestion, isHandler } from '../state/console/compose.js';
import type { Desk } from '../state/console/desk.js';
import type { ChatDialog } from '../state/console/dialogs.js';
import { isOver } from '../state/console/row.js';
import type { Row } from '../state/console/row.js';
import { t } from '../state/console/words.js';
import { icons } from '../ui/kit/index.js';
import type { Action } from './action.js';

/** The open chat, unless another screen lies over it. */
const current = (d: Desk) => (d.screen.value === 'chats' ? d.current : null);
const row = (d: Desk): Row | null => current(d)?.row.value ?? null;
const handled = (d: Desk, rule: (r: Row) => boolean = () => true): boolean => {
  const r = row(d);
  return r !== null && isHandler(r, d.me.id) && rule(r);
};
const served = (r: Row) => r.state === 'assigned' || r.state === 'active';
const openDialog = (kind: ChatDialog) => (d: Desk) => {
  const chat = d.open.peek();
  if (chat !== null) d.dialog.value = { kind, chat };
};
const openChat = (d: Desk, rule: (r: Row) => boolean) => {
  const r = row(d);
  return r !== null && !isOver(r) && rule(r);
};

export const claim: Action = {
  id: 'claim', label: 'act.claim', group: 'chat', icon: icons.plus,
  enabled: (d) => openChat(d, (r) => r.handler === null && (r.state === 'waiting' || r.state === 'offered')),
  run: (d) => void claimChat(d, d.open.peek() ?? ''),
};

export async function claimChat(d: Desk, chat: string): Promise<void> {
  if (!(await d.attempt({ t: 'chat.claim', chat }))) return;
  d.dropOffer(chat);
  d.show(chat);
}

export const resolve: Action = {
  id: 'resolve', label: 'act.resolve', group: 'chat', icon: icons.check, keys: ['e'],
  enabled: (d) => handled(d, (r) => served(r) || r.state === 'parked'), run: openDialog('resolve'),
};
export const transfer: Action = {
  id: 'transfer', label: 'act.transfer', group: 'chat', icon: icons.handover, keys: ['h'],
  enabled: (d) => handled(d, (r) => served(r) && r.transfer === null), run: openDialog('transfer'),
};
export const consult: Action = {
  id: 'consult', label: 'act.consult', group: 'chat', icon: icons.users, keys: ['o'],
  enabled: (d) => handled(d), run: openDialog('consult'),
};
export const answer: Action = {
  id: 'answer', label: 'act.answer', group: 'chat', icon: icons.reply,
  enabled: (d) => openChat(d, (r) => r.consult?.to.id === d.me.id), run: openDialog('answer'),
};
export const refer: Action = {
  id: 'refer', label: 'act.refer', group: 'chat', icon: icons.phone,
  enabled: (d) => handled(d), run: openDialog('refer'),
};
export const park: Action = {
  id: 'park', label: 'act.park', group: 'chat', icon: icons.park, keys: ['p'],
  enabled: (d) => handled(d, served), run: openDialog('park'),
};
export const unpark: Action = {
  id: 'unpark', label: 'act.unpark', group: 'chat', icon: icons.play,
  enabled: (d) => handled(d, (r) => r.state === 'parked'),
  run: (d) => void d.attempt({ t: 'chat.unpark', chat: d.open.peek() ?? '' }),
};
export const promise: Action = {
  id: 'promise', label: 'act.promise', group: 'chat', icon: icons.clock,
  enabled: (d) => handled(d), run: openDialog('promise'),
};
export const triage: Action = {
  id: 'triage', label: 'act.triage', group: 'chat', icon: icons.flag,
  enabled: (d) => openChat(d, (r) => r.handler === null || r.handler.id === d.me.id), run: openDialog('triage'),
};
export const tag: Action = {
  id: 'tag', label: 'act.tag', group: 'chat', icon: icons.tag,
  enabled: (d) => row(d) !== null, run: openDialog('tag'),
};
export const verify: Action = {
  id: 'verify', label: 'act.verify', group: 'chat', icon: icons.shield, keys: ['v'],
  enabled: (d) => handled(d), run: openDialog('verify'),
};
export const takeBack: Action = {
  id: 'take_back', label: 'act.take_back', group: 'chat', icon: icons.back,
  enabled: (d) => openChat(d, (r) => r.owner?.id === d.me.id && r.handler?.id !== d.me.id),
  run: (d) => void takeBackChat(d, d.open.peek() ?? ''),
};

async function takeBackChat(d: Desk, chat: string): Promise<void> {
  if (await d.attempt({ t: 'chat.take_back', chat })) d.toasts.say(t('done.taken_back'));
}

// --- leads

const lead = (d: Desk) => d.isLead;
export const join: Action = {
  id: 'join', label: 'act.join', group: 'lead', icon: icons.plus, shown: lead,
  enabled: (d) => openChat(d, (r) => r.handler?.id !== d.me.id),
  run: (d) => void d.attempt({ t: 'chat.join', chat: d.open.peek() ?? '' }),
};
export const whisper: Action = {
  id: 'whisper', label: 'act.whisper', group: 'lead', icon: icons.lock, keys: ['w'], shown: lead,
  enabled: (d) => openChat(d, (r) => r.handler !== null && r.handler.id !== d.me.id),
  run: (d) => setMode(d, 'whisper'),
};
export const reassign: Action = {
  id: 'reassign', label: 'act.reassign', group: 'lead', icon: icons.user, shown: lead,
  enabled: (d) => openChat(d, () => true), run: openDialog('reassign'),
};

// --- writing

export function focusComposer(): void {
  const focus = () => document.querySelector<HTMLTextAreaElement>('#composer')?.focus();
  focus(); // the next key is meant for it
  requestAnimationFrame(focus); // where it is being drawn
}

export function setMode(d: Desk, mode: 'reply' | 'note' | 'whisper'): void {
  d.mode.value = mode;
  focusComposer();
}

export const reply: Action = {
  id: 'reply', label: 'act.reply', group: 'write', icon: icons.reply, keys: ['r'],
  enabled: (d) => current(d) !== null, run: (d) => setMode(d, 'reply'),
};
export const note: Action = {
  id: 'note', label: 'act.note', group: 'write', icon: icons.note, keys: ['n'],
  enabled: (d) => current(d) !== null, run: (d) => setMode(d, 'note'),
};

const suggest = (n: 1 | 2 | 3): Action => ({
  id: `suggest_${n}`, label: ['act.suggest_1', 'act.suggest_2', 'act.suggest_3'][n - 1] ?? '', group: 'write', icon: icons.book, keys: [String(n)],
  enabled: (d) => handled(d) && (d.current?.suggestions.value.length ?? 0) >= n,
  run: (d) => {
    const article = d.current?.suggestions.peek()[n - 1];
    if (!article || !d.current) return;
    insertSuggestion(d, d.current.chat, article);
    focusComposer();
  },
});
export const suggest1 = suggest(1);
export const suggest2 = suggest(2);
export const suggest3 = suggest(3);

export const chatActions: Action[] = [
  resolve, transfer, consult, answer, refer, park, unpark, promise, verify, triage, tag, claim, takeBack, join, whisper, reassign,
];
export const writeActions: Action[] = [reply, note, suggest1, suggest2, suggest3];
