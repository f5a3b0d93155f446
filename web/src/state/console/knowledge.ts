// The knowledge base over HTTP: articles, drafts of them, gaps, what was taught. No state but what is asked for.
import { firstChars } from '../../model/text.js';
import { isObject } from '../../model/types.js';
import type { Person } from '../../model/types.js';
import { call } from './api.js';

/** Side by side in the editor, in this order; further languages of an article follow. */
export const LANGS = ['zh-CN', 'en'];

export interface Version {
  lang: string;
  title: string;
  department: string;
  audience: 'shopper' | 'rep';
  valid_from?: string;
  valid_until?: string;
  /** Of the console; 0: it stands in a file alone. */
  version: number;
  source: 'file' | 'console';
  /** The file was changed after this version of the console. */
  set_aside: boolean;
  at?: number;
  by?: Person | null;
  base?: string;
  keywords?: string[];
  questions?: string[];
  body?: string;
}
export interface Article { article: string; languages: Version[] }
export interface ArticlePage { items: Article[]; next: string | null; total: number; problem?: string }
export interface Figures { used: number; edited: number; rejected: number; helped: number; not_helped: number }
export interface OldVersion { lang: string; version: number; at: number; by: Person; text: string }
export interface GapQuestion { chat: string; at: number; text: string; rating?: number; refused: boolean; rejected: boolean }
export interface Gap { question: string; count: number; unhappy: number; last: number; department?: string; draft?: string; questions: GapQuestion[] }
export interface Stale { article: string; shown: number; rejected: number; low_rated: number; used: number }
export interface Taught { id: string; at: number; by: Person; article: string; verdict: 'used' | 'edited' | 'rejected'; question: string; chat?: string; undone?: { at: number; by: Person } }
export interface TaughtList { items: Taught[]; next: string | null }
export interface Synonyms { text: string; base: string; version: number }

const api = (path: string) => `/api/v1/${path}`;
async function items<T>(path: string): Promise<T[]> {
  const answer = await call('GET', api(path));
  return isObject(answer) && Array.isArray(answer['items']) ? (answer['items'] as T[]) : [];
}

export const articles = (q: string, cursor: string | null) =>
  call('GET', api(`articles?limit=50${q === '' ? '' : `&q=${encodeURIComponent(q)}`}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)) as Promise<ArticlePage>;
export const article = (id: string) => call('GET', api(`articles/${encodeURIComponent(id)}`)) as Promise<Article>;
export const versions = (id: string) => items<OldVersion>(`articles/${encodeURIComponent(id)}/versions`);
export const preview = async (body: string) => ((await call('POST', api('articles/preview'), { body })) as { html: string }).html;
export const reload = () => call('POST', api('articles/reload'), {});
export const gaps = () => items<Gap>('gaps');
export const stale = () => items<Stale>('gaps/stale');
/** So many pages of a hundred, newest first: all anew, since what was taken back changes. */
export async function taught(id: string, pages: number): Promise<TaughtList> {
  const list: TaughtList = { items: [], next: null };
  for (let n = 0; n < pages && (n === 0 || list.next !== null); n++) {
    const page = (await call('GET', api(`taught?limit=100${id === '' ? '' : `&article=${encodeURIComponent(id)}`}${list.next === null ? '' : `&cursor=${list.next}`}`))) as TaughtList;
    list.items.push(...page.items);
    list.next = page.next;
  }
  return list;
}
export const undo = (id: string) => call('POST', api(`taught/${encodeURIComponent(id)}/undo`), {});
export const synonyms = () => call('GET', api('synonyms')) as Promise<Synonyms>;
export const saveSynonyms = (s: Synonyms) => call('POST', api('synonyms'), s);
export async function figures(): Promise<Map<string, Figures>> {
  return new Map((await items<Figures & { article: string }>('taught/figures')).map((f) => [f.article, f]));
}

/** One language of an article that is being written. */
export interface Side {
  lang: string;
  title: string;
  questions: string;
  keywords: string;
  body: string;
  /** What it is made from; null: there is none yet. */
  from: Version | null;
}
/** What is asked once for all languages; '' where each has it its own way. */
export interface Shared { department: string; audience: 'shopper' | 'rep' | ''; validFrom: string; validUntil: string }
export interface Draft extends Shared {
  article: string;
  isNew: boolean;
  /** As it stands: what was not changed of it stays as it is in each language. */
  shown: Shared;
  sides: Side[];
}

/** What is being written outlives its screen, not the page: an article's id or a draft that is none yet, and the text where it isn't saved; groups of words. */
export const writing: { what: string | Draft | null; draft: Draft | null; synonyms: { stored: Synonyms; text: string } | null } = { what: null, draft: null, synonyms: null };

const unwritten: Shared = { department: 'general', audience: 'shopper', validFrom: '', validUntil: '' };
const emptySide = (lang: string): Side => ({ lang, title: '', questions: '', keywords: '', body: '', from: null });

function sideOf(v: Version): Side {
  return { lang: v.lang, title: v.title, questions: (v.questions ?? []).join('\n'), keywords: (v.keywords ?? []).join(', '), body: v.body ?? '', from: v };
}

export const sharedOf = (v: Version): Shared => ({ department: v.department, audience: v.audience, validFrom: v.valid_from ?? '', validUntil: v.valid_until ?? '' });

function sharedBy(versions: readonly Version[]): Shared {
  const [first = unwritten, ...others] = versions.map(sharedOf);
  const one = <K extends keyof Shared>(key: K) => (others.every((o) => o[key] === first[key]) ? first[key] : '');
  return { department: one('department'), audience: one('audience'), validFrom: one('validFrom'), validUntil: one('validUntil') };
}

/** Mine where I changed what was shown, else theirs. */
function merged(mine: Shared, shown: Shared, theirs: Shared): Shared {
  const one = <K extends keyof Shared>(key: K) => (mine[key] !== shown[key] ? mine : theirs)[key];
  return { department: one('department'), audience: one('audience'), validFrom: one('validFrom'), validUntil: one('validUntil') };
}

export function draftOf(a: Article): Draft {
  const shown = sharedBy(a.languages);
  const known = new Map(a.languages.map((v) => [v.lang, v]));
  const langs = [...LANGS, ...a.languages.map((v) => v.lang).filter((l) => !LANGS.includes(l))];
  return {
    ...shown, article: a.article, isNew: false, shown,
    sides: langs.map((lang) => {
      const v = known.get(lang);
      return v ? sideOf(v) : emptySide(lang);
    }),
  };
}

export const newDraft = (): Draft => ({ ...unwritten, article: '', isNew: true, shown: unwritten, sides: LANGS.map(emptySide) });

const QUESTION_CHARS = 300; // of one that an article is saved with
const hanzi = /[\u3400-\u9fff]/;

/** What was asked and what the rep answered, in the language it was asked in. */
export function draftOfGap(gap: Gap): Draft {
  const lang = hanzi.test(gap.question) ? 'zh-CN' : 'en';
  const questions = [...new Set([gap.question, ...gap.questions.map((q) => q.text)].map((q) => firstChars(q.replace(/\s+/g, ' ').trim(), QUESTION_CHARS).trim()))];
  const draft = newDraft();
  return {
    ...draft, department: gap.department ?? 'general',
    sides: draft.sides.map((s) => (s.lang === lang ? { ...s, title: firstChars(questions[0] ?? '', 80), questions: questions.join('\n'), body: gap.draft ?? '' } : s)),
  };
}

const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter((l) => l !== '');
const words = (text: string) => text.split(/[,，、\n]/).map((w) => w.trim()).filter((w) => w !== '');
const isEmpty = (s: Side) => s.title.trim() === '' && s.body.trim() === '' && s.questions.trim() === '';

interface Wire { article: string; lang: string; title: string; department: string; audience: string; valid_from: string; valid_until: string; keywords: string[]; questions: string[]; body: string }

function wire(article: string, of: Shared, s: Side): Wire {
  return {
    article: article.trim(), lang: s.lang, title: s.title.trim(), department: of.department.trim(), audience: of.audience, valid_from: of.validFrom, valid_until: of.validUntil,
    keywords: words(s.keywords), questions: lines(s.questions), body: s.body.trimEnd(),
  };
}

/** A language that is new is for staff while the others differ: nothing is published by the way. */
function wireOf(d: Draft, s: Side): Wire {
  return wire(d.article, s.from === null ? { ...d, audience: d.audience || 'rep' } : merged(d, d.shown, sharedOf(s.from)), s);
}

/** The sides that differ from what they were made from. */
export function changed(d: Draft): Side[] {
  return d.sides.filter((s) => (s.from === null ? !isEmpty(s) : JSON.stringify(wire(d.article, sharedOf(s.from), sideOf(s.from))) !== JSON.stringify(wireOf(d, s))));
}

/** Saves one side as the next version; rejects with ApiError 409 where another one was saved meanwhile. */
export const saveSide = (d: Draft, s: Side) => call('POST', api('articles'), { ...wireOf(d, s), version: s.from?.version ?? 0, base: s.from?.base ?? '' });

const textOf = ({ title, questions, keywords, body }: Side) => JSON.stringify([title, questions, keywords, body]);
const isWritten = (s: Side) => textOf(s) !== textOf(s.from === null ? emptySide(s.lang) : sideOf(s.from));

/** What was written over what stands now, in all languages or in these; where nothing was, what stands now. */
export function rebase(d: Draft, now: Article, langs: readonly string[] = d.sides.map((s) => s.lang)): Draft {
  const shown = sharedBy(now.languages);
  return { ...d, ...merged(d, d.shown, shown), isNew: false, shown, sides: d.sides.map((s) => {
    const from = now.languages.find((v) => v.lang === s.lang) ?? null;
    if (!langs.includes(s.lang)) return s;
    return from === null || isWritten(s) ? { ...s, from } : sideOf(from);
  }) };
}
