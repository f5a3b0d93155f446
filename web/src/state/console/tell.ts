// What a rep is told of while it happens: by a sound, a short notice, a desktop notice, a word to who listens.
import { firstChars } from '../../model/text.js';
import type { EventEntry, Task } from '../../model/types.js';
import type { Desk } from './desk.js';
import { notice, soundMessage } from './notify.js';
import type { Row } from './row.js';
import type { ChatView } from './view.js';
import { t } from './words.js';

/** Of an entry that somebody else made; `before` is the row as it was without it. */
export function tellOfEntry(desk: Desk, view: ChatView, e: EventEntry, before: Row): void {
  const me = desk.me.id;
  if (e.from.id === me && e.from.role !== 'shopper') return;
  const row = view.row.peek();
  const mine = row.handler?.id === me || row.owner?.id === me;
  const open = { text: t('open'), run: () => desk.show(view.chat) };
  if (before.handler?.id === me && row.handler?.id !== me) tellOfGivenAway(desk, view);
  if (e.kind === 'message' && e.from.role === 'shopper' && mine) tellOfMessage(desk, view, e);
  if ((e.kind === 'note' || e.kind === 'whisper') && e.mentions?.includes(me)) {
    soundMessage();
    desk.toasts.say(t('note.calls_you', { name: desk.nameOf(e.from.id, e.from.name) }), open);
  }
  if (e.kind === 'consulted' && e.to?.id === me) {
    soundMessage();
    desk.toasts.say(t('consult.asks_you', { name: desk.nameOf(e.from.id, e.from.name) }), open);
  }
  if (e.kind === 'transferred' && row.owner?.id === me) desk.toasts.say(t('transfer.accepted_by', { name: desk.nameOf(e.to?.id, e.to?.name) }));
  if (e.kind === 'transfer_returned' && row.handler?.id === me) desk.toasts.bad(t('transfer.returned_from', { name: desk.nameOf(e.to?.id, e.to?.name ?? e.to?.department) }));
  if (e.kind === 'reminded' && mine) desk.toasts.bad(t('reminded.you', { name: row.shopper?.name ?? t('guest') }), open);
}

/** Somebody else answers the open chat from here on, whose reply may be half written. */
function tellOfGivenAway(desk: Desk, view: ChatView): void {
  const { handler } = view.row.peek();
  if (handler === null || desk.open.peek() !== view.chat) return;
  const name = desk.nameOf(handler.id, handler.name);
  desk.toasts.say(desk.drafts.of(view.chat, 'reply').peek().text.trim() === '' ? t('handler.now', { name }) : t('handler.now_kept', { name }));
}

function tellOfMessage(desk: Desk, view: ChatView, e: Extract<EventEntry, { kind: 'message' }>): void {
  const name = e.from.name ?? view.row.peek().shopper?.name ?? t('guest');
  const text = firstChars(e.text, 200);
  const seen = desk.open.peek() === view.chat && desk.screen.peek() === 'chats' && document.visibilityState === 'visible';
  desk.announce(t('announce.message', { name, text }));
  if (!seen) soundMessage();
  notice(name, text, `chat-${view.chat}`, () => desk.show(view.chat));
  if (desk.open.peek() === view.chat) desk.askSuggestions(view);
}

export function tellOfTask(desk: Desk, task: Task): void {
  const text = t(task.what === 'callback' ? 'tasks.new_call' : 'tasks.new_message', { name: task.shopper?.name || t('guest') });
  const open = () => (desk.screen.value = 'tasks');
  soundMessage();
  notice(text, task.text ?? task.contact ?? '', `task-${task.task}`, open);
  if (desk.screen.peek() === 'tasks') desk.announce(text);
  else desk.toasts.say(text, { text: t('open'), run: open });
}
