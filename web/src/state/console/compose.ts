// Writing: from draft to outbox, suggestions as editable drafts, typing signs.
import { isBlank } from '../../model/text.js';
import { cannedText, fillCanned, firstUnfilled } from './canned.js';
import type { Canned } from './canned.js';
import type { ArticleHit } from '../../model/types.js';
import type { Desk } from './desk.js';
import type { Draft, Mode } from './drafts.js';
import type { Row } from './row.js';
import { isOver } from './row.js';

const MENTIONS_MAX = 20;

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

/** Where the first variable of a canned reply stands that is still to be filled in; null: none is. */
export function toFillIn(draft: Draft): { from: number; to: number } | null {
  return draft.canned ? firstUnfilled(draft.text, draft.canned.variables) : null;
}

/** Sends the draft of this chat and mode. False if there is nothing to send, or something to fill in first. */
export function sendDraft(desk: Desk, chat: string, mode: Mode): boolean {
  const draft = desk.drafts.of(chat, mode).peek();
  const text = draft.text.trim();
  if (isBlank(text) || (mode === 'reply' && toFillIn(draft))) return false;
  if (mode === 'reply') desk.outbox.add(chat, { t: 'message.send', chat, text, ...(draft.article ? { article: draft.article.id } : {}), ...(draft.canned ? { canned: draft.canned.name } : {}) });
  else {
    const mentions = mentionsIn(text, desk.people.peek());
    desk.outbox.add(chat, { t: mode === 'note' ? 'note.add' : 'whisper', chat, text, ...(mentions.length > 0 ? { mentions } : {}) });
  }
  desk.drafts.clear(chat, mode);
  desk.drafts.flush();
  if (mode === 'reply' && draft.article) {
    const verdict = draft.article.text.trim() === text ? 'used' : 'edited';
    void desk.act({ t: 'kb.feedback', article: draft.article.id, verdict, chat }).catch(() => undefined);
  }
  if (mode === 'reply') dismissAll(desk, chat);
  return true;
}

/** Who is called by @name; the longest name that fits wins. */
export function mentionsIn(text: string, people: ReadonlyArray<{ id: string; name: string }>): string[] {
  const byLength = [...people].sort((a, b) => b.name.length - a.name.length);
  const found = new Set<string>();
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const rest = text.slice(at + 1).toLocaleLowerCase();
    const hit = byLength.find((p) => p.name !== '' && (rest.startsWith(p.name.toLocaleLowerCase()) || startsWithWord(rest, p.name)));
    if (hit) found.add(hit.id);
  }
  return [...found].slice(0, MENTIONS_MAX);
}

/** "@Mei" calls "Mei 林小梅" as well. */
function startsWithWord(rest: string, name: string): boolean {
  return name.toLocaleLowerCase().split(/\s+/).some((word) => [...word].length > 1 && rest.startsWith(word) && !/^[a-z0-9]/.test(rest.slice(word.length)));
}

function dismissAll(desk: Desk, chat: string): void {
  const view = desk.views.get(chat);
  if (!view) return;
  view.suggest([], false);
  view.askedSuggestions = null; // what is still asked is for what was answered
}

/** Puts a suggestion into the reply as an editable draft: below what stands there, or over it. */
export function insertSuggestion(desk: Desk, chat: string, article: ArticleHit, where: 'below' | 'over' = 'below'): void {
  const { text: before, canned } = desk.drafts.of(chat, 'reply').peek();
  const text = article.text ?? article.title;
  const over = where === 'over' || before.trim() === '';
  desk.drafts.set(chat, 'reply', { text: over ? text : `${before.trimEnd()}\n${text}`, article: { id: article.id, text }, ...(canned && !over ? { canned } : {}), before });
  desk.mode.value = 'reply';
}

/** Puts a canned reply into the reply as an editable draft, over what stands there, in the shopper's language. */
export function insertCanned(desk: Desk, row: Row, canned: Canned, lang: string): void {
  const before = desk.drafts.of(row.chat, 'reply').peek().text;
  const known = { name: row.shopper?.name, rep: desk.me.name, department: row.department ? desk.departmentText(row.department) : undefined };
  const { text, variables } = fillCanned(cannedText(canned, lang), known);
  desk.drafts.set(row.chat, 'reply', { text, canned: { name: canned.name, variables }, before });
  desk.mode.value = 'reply';
}

export function rejectSuggestion(desk: Desk, chat: string, article: ArticleHit): void {
  const view = desk.views.get(chat);
  view?.reject(article.id);
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
