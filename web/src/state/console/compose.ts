// Writing: from draft to outbox, suggestions as editable drafts, typing signs.
import type { ArticleHit } from '../../model/types.js';
import type { Desk } from './desk.js';
import type { Mode } from './drafts.js';
import type { Row } from './row.js';
import { isOver } from './row.js';

export type MayReply = { may: true } | { may: false; why: 'over' | 'handler' | 'other' };

/** The handler rule as this side knows it; the server has the last word (rule 2.12). */
export function mayReply(row: Row, me: string): MayReply {
  if (isOver(row)) return { may: false, why: 'over' };
  if (row.handler === null) return row.state === 'waiting' || row.state === 'offered' ? { may: true } : { may: false, why: 'other' };
  return row.handler.id === me ? { may: true } : { may: false, why: 'handler' };
}

export function isHandler(row: Row, me: string): boolean {
  return row.handler?.id === me && !isOver(row);
}

/** Sends the draft of this chat and mode. False if there is nothing to send. */
export function sendDraft(desk: Desk, chat: string, mode: Mode): boolean {
  const draft = desk.drafts.of(chat, mode).peek();
  const text = draft.text.trim();
  if (text === '') return false;
  if (mode === 'reply') desk.outbox.add(chat, { t: 'message.send', chat, text, ...(draft.article ? { article: draft.article.id } : {}) });
  else desk.outbox.add(chat, mode === 'note' ? { t: 'note.add', chat, text } : { t: 'whisper', chat, text });
  desk.drafts.clear(chat, mode);
  desk.drafts.flush();
  if (mode === 'reply' && draft.article) {
    const verdict = draft.article.text.trim() === text ? 'used' : 'edited';
    void desk.act({ t: 'kb.feedback', article: draft.article.id, verdict, chat, ...(verdict === 'edited' ? { text } : {}) }).catch(() => undefined);
  }
  if (mode === 'reply') dismissAll(desk, chat);
  return true;
}

function dismissAll(desk: Desk, chat: string): void {
  const view = desk.views.get(chat);
  if (view) view.suggestions.value = [];
}

/** Puts a suggestion into the reply as an editable draft. */
export function insertSuggestion(desk: Desk, chat: string, article: ArticleHit): void {
  const before = desk.drafts.of(chat, 'reply').peek().text;
  const text = article.text ?? article.title;
  desk.drafts.set(chat, 'reply', { text: before.trim() === '' ? text : `${before.trimEnd()}\n${text}`, article: { id: article.id, text } });
  desk.mode.value = 'reply';
}

export function rejectSuggestion(desk: Desk, chat: string, article: ArticleHit): void {
  const view = desk.views.get(chat);
  if (view) view.suggestions.value = view.suggestions.peek().filter((a) => a.id !== article.id);
  void desk.act({ t: 'kb.feedback', article: article.id, verdict: 'rejected', chat }).catch(() => undefined);
}

const AGAIN_MS = 3_000;

/** Says that this person writes, at most every 3 s, and that they stopped. */
export class TypingTeller {
  private toldAt = 0;
  private where: { chat: string; mode: 'reply' | 'note' } | null = null;

  constructor(private readonly desk: Desk) {}

  wrote(chat: string, mode: Mode, empty: boolean): void {
    const sign = mode === 'reply' ? 'reply' : 'note';
    if (this.where && (empty || this.where.chat !== chat || this.where.mode !== sign)) this.stop();
    if (empty || (this.where && Date.now() - this.toldAt < AGAIN_MS)) return;
    this.where = { chat, mode: sign };
    this.toldAt = Date.now();
    this.desk.tellTyping(chat, true, sign);
  }

  stop(): void {
    if (this.where) this.desk.tellTyping(this.where.chat, false, this.where.mode);
    this.where = null;
  }
}
