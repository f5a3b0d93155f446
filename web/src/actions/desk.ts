// Acts on the desk: offers, moving about, the shift, looks.
import type { Desk } from '../state/console/desk.js';
import { choose, settings } from '../state/console/settings.js';
import { testSound } from '../state/console/notify.js';
import { icons } from '../ui/kit/index.js';
import type { Action } from './action.js';
import { chatActions, claimChat, writeActions } from './chat.js';

export async function acceptOffer(d: Desk, chat: string): Promise<void> {
  if (!(await answerOffer(d, 'offer.accept', chat))) return;
  d.dropOffer(chat);
  d.show(chat);
}

export async function declineOffer(d: Desk, chat: string): Promise<void> {
  if (await answerOffer(d, 'offer.decline', chat)) d.dropOffer(chat);
}

/** Once: a second stroke of a quick hand finds it on its way. */
async function answerOffer(d: Desk, type: 'offer.accept' | 'offer.decline', chat: string): Promise<boolean> {
  if (d.answering.has(chat)) return false;
  d.answering.add(chat);
  try {
    return (await d.attempt({ t: type, chat })) !== null;
  } finally {
    d.answering.delete(chat);
  }
}

/** The offer whose time ends first, without those that are being answered. */
const nextOffer = (d: Desk): string | null => d.offers.value.filter((x) => !d.answering.has(x.chat)).sort((a, b) => a.deadline_at - b.deadline_at)[0]?.chat ?? null;

export const accept: Action = {
  id: 'accept', label: 'act.accept', group: 'offer', icon: icons.check, keys: ['a'],
  enabled: (d) => nextOffer(d) !== null, run: (d) => void acceptOffer(d, nextOffer(d) ?? ''),
};
export const decline: Action = {
  id: 'decline', label: 'act.decline', group: 'offer', icon: icons.close, keys: ['d'],
  enabled: (d) => nextOffer(d) !== null, run: (d) => void declineOffer(d, nextOffer(d) ?? ''),
};

/** The rows as they stand on the screen. */
const shownChats = () => [...document.querySelectorAll<HTMLElement>('[data-chat]')].map((e) => e.dataset['chat'] ?? '');
const focusOn = (selector: string) => requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());

export const palette: Action = {
  id: 'palette', label: 'act.palette', group: 'go', icon: icons.search, keys: ['mod+k'], anywhere: true,
  enabled: () => true, run: (d) => (d.dialog.value = d.dialog.peek()?.kind === 'palette' ? null : { kind: 'palette' }),
};
export const help: Action = {
  id: 'keys', label: 'act.keys', group: 'go', icon: icons.keyboard, keys: ['?'],
  enabled: () => true, run: (d) => (d.dialog.value = { kind: 'keys' }),
};
export const next: Action = {
  id: 'next', label: 'act.next', group: 'go', icon: icons.chevronDown, keys: ['j', 'alt+arrowdown'], anywhere: true, repeats: true,
  enabled: () => true, run: (d) => d.step(1, shownChats()),
};
export const previous: Action = {
  id: 'previous', label: 'act.previous', group: 'go', icon: icons.arrowUp, keys: ['k', 'alt+arrowup'], anywhere: true, repeats: true,
  enabled: () => true, run: (d) => d.step(-1, shownChats()),
};
export const goQueue: Action = {
  id: 'go_queue', label: 'act.go_queue', group: 'go', icon: icons.clock, keys: ['g q'],
  enabled: () => true,
  run: (d) => {
    d.screen.value = 'chats';
    choose({ listFolded: false });
    focusOn('#group-queue');
  },
};
export const goChats: Action = {
  id: 'go_chats', label: 'act.go_chats', group: 'go', icon: icons.chat, keys: ['g c'],
  enabled: () => true,
  run: (d) => {
    d.screen.value = 'chats';
    choose({ listFolded: false });
    focusOn('[data-chat], #group-mine');
  },
};
export const goTasks: Action = {
  id: 'go_tasks', label: 'act.go_tasks', group: 'go', icon: icons.mail, keys: ['g t'],
  enabled: () => true, run: (d) => (d.screen.value = 'tasks'),
};
export const goBoard: Action = {
  id: 'go_board', label: 'act.go_board', group: 'go', icon: icons.chart, keys: ['g b'], shown: (d) => d.isLead,
  enabled: (d) => d.isLead, run: (d) => (d.screen.value = 'board'),
};
export const goKnowledge: Action = {
  id: 'go_knowledge', label: 'act.go_knowledge', group: 'go', icon: icons.book, keys: ['g k'], shown: (d) => d.isEditor,
  enabled: (d) => d.isEditor, run: (d) => (d.screen.value = 'knowledge'),
};
export const search: Action = {
  id: 'search', label: 'act.search', group: 'go', icon: icons.search, keys: ['/'],
  enabled: () => true,
  run: (d) => {
    d.screen.value = 'chats';
    choose({ listFolded: false });
    focusOn('#chat-search');
  },
};
export const claimNext: Action = {
  id: 'claim_next', label: 'act.claim_next', group: 'offer', icon: icons.plus,
  enabled: (d) => d.groups.value.queue.length > 0 && d.shift.value.state === 'on',
  run: (d) => {
    const first = d.groups.value.queue[0];
    if (first) void claimChat(d, first.chat);
  },
};

export const fold: Action = {
  id: 'fold', label: 'act.fold', group: 'look', icon: icons.folder, keys: ['z'],
  enabled: () => true,
  run: () => choose(settings.value.cardFolded && settings.value.listFolded ? { cardFolded: false, listFolded: false } : { cardFolded: true, listFolded: true }),
};
export const foldCard: Action = {
  id: 'fold_card', label: 'act.fold_card', group: 'look', icon: icons.info,
  enabled: () => true, run: () => choose({ cardFolded: !settings.value.cardFolded }),
};
export const openSettings: Action = {
  id: 'settings', label: 'act.settings', group: 'look', icon: icons.settings,
  enabled: () => true, run: (d) => (d.dialog.value = { kind: 'settings' }),
};
export const theme: Action = {
  id: 'theme', label: 'act.theme', group: 'look', icon: icons.moon,
  enabled: () => true,
  run: () => choose({ theme: settings.value.theme === 'system' ? 'light' : settings.value.theme === 'light' ? 'dark' : 'system' }),
};
export const density: Action = {
  id: 'density', label: 'act.density', group: 'look', icon: icons.filter,
  enabled: () => true, run: () => choose({ density: settings.value.density === 'compact' ? 'comfortable' : 'compact' }),
};
export const sound: Action = {
  id: 'sound', label: 'act.sound', group: 'look', icon: icons.bell,
  enabled: () => true,
  run: () => {
    choose({ sound: !settings.value.sound });
    if (settings.value.sound) testSound();
  },
};

export const shiftStart: Action = {
  id: 'shift_start', label: 'act.shift_start', group: 'shift', icon: icons.play,
  enabled: (d) => d.ready.value && d.shift.value.state !== 'on', run: (d) => void d.changeShift('start'),
};
export const shiftPause: Action = {
  id: 'shift_pause', label: 'act.shift_pause', group: 'shift', icon: icons.pause,
  enabled: (d) => d.shift.value.state === 'on', run: (d) => void d.changeShift('pause'),
};
export const shiftEnd: Action = {
  id: 'shift_end', label: 'act.shift_end', group: 'shift', icon: icons.leave,
  enabled: (d) => d.shift.value.state !== 'off', run: (d) => void d.changeShift('end'),
};
export const capacity: Action = {
  id: 'capacity', label: 'act.capacity', group: 'shift', icon: icons.users,
  enabled: (d) => d.ready.value, run: (d) => (d.dialog.value = { kind: 'capacity' }),
};

/** Everything, in the order of help and command bar. */
export const actions: readonly Action[] = [
  accept, decline, claimNext, ...writeActions, ...chatActions, palette, next, previous, goQueue, goChats, goTasks, goBoard, goKnowledge, search, help,
  shiftStart, shiftPause, shiftEnd, capacity, fold, foldCard, openSettings, theme, density, sound,
];
