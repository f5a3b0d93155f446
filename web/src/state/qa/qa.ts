// The QA desk: a search and its results, the transcript that is read, its reviews, the one being written.
import { batch, computed, signal } from '@preact/signals';
import { makeId } from '../../model/ids.js';
import { readJson } from '../../model/storage.js';
import type { Store } from '../../model/storage.js';
import type { ChatState, EventEntry, Person, Shopper, Timers } from '../../model/types.js';
import { isObject } from '../../model/types.js';
import { ApiError, call } from '../console/api.js';
import type { Session } from '../console/api.js';
import { departmentNamed, takeDepartmentTitles } from '../console/labels.js';
import { Toasts } from '../console/toasts.js';
import { t } from '../console/words.js';
import { emptySheet, isComplete, isTouched, readSheet, toBody } from './marks.js';
import type { Mark, Review, Scorecard, Sheet } from './marks.js';
import { emptyQuery, fromAddress, hasChips, markWords, toAddress, toRequest } from './query.js';
import type { Query } from './query.js';

export interface Hit {
  chat: string;
  department: string;
  owner: Person | string | null;
  started: number;
  ended?: number | null;
  state: ChatState;
  rating?: number | null;
  messages: number;
  snippet?: string | null;
}

export interface Transcript {
  chat: string;
  site: string;
  department: string;
  shopper: Shopper | null;
  owner: Person | null;
  state: ChatState;
  complete: boolean;
  events: EventEntry[];
}

export interface Staff {
  id: string;
  name: string;
  login?: string;
  roles?: string[];
  departments?: string[];
}

export type Fetched<T> = { at: 'none' } | { at: 'loading' } | { at: 'failed'; why: string } | { at: 'here'; value: T };

const PAGE = 50;

/** What a person says: it can be jumped to. */
const isSaid = (e: EventEntry) => e.kind === 'message' || e.kind === 'note' || e.kind === 'whisper';

export const formats = ['ndjson', 'csv', 'text'] as const;
export type Format = (typeof formats)[number];
const accepts: Record<Format, string> = { ndjson: 'application/x-ndjson', csv: 'text/csv', text: 'text/plain' };
const endings: Record<Format, string> = { ndjson: 'ndjson', csv: 'csv', text: 'txt' };

export class Qa {
  readonly query = signal<Query>(emptyQuery);
  readonly chat = signal('');
  readonly hits = signal<Fetched<Hit[]>>({ at: 'none' });
  readonly next = signal<string | null>(null);
  readonly loadingMore = signal(false);
  readonly transcript = signal<Fetched<Transcript>>({ at: 'none' });
  readonly reviews = signal<Fetched<Review[]>>({ at: 'loading' });
  readonly cards = signal<Scorecard[]>([]);
  readonly people = signal<Staff[]>([]);
  readonly sheet = signal<Sheet>(emptySheet);
  readonly criterion = signal(0);
  readonly selected = signal<number | null>(null);
  readonly showEvents = signal(true);
  readonly commenting = signal<string | null>(null);
  readonly sending = signal(false);
  readonly error = signal('');
  readonly toasts: Toasts;
  readonly card = computed(() => this.cards.value[0] ?? null);
  readonly mayJudge: boolean;
  private asked = 0;

  constructor(
    readonly session: Session,
    private readonly store: Store,
    timers: Timers,
    private readonly onSignedOut: () => void,
  ) {
    this.toasts = new Toasts(timers);
    this.mayJudge = session.roles.some((r) => r === 'qa' || r === 'director');
  }

  start(): () => void {
    const onPop = () => this.readAddress();
    window.addEventListener('popstate', onPop);
    this.readAddress();
    this.readLists();
    return () => window.removeEventListener('popstate', onPop);
  }

  // --- searching

  search(query: Query): void {
    history.pushState(null, '', toAddress(query, ''));
    this.readAddress();
  }

  open(chat: string): void {
    if (chat === this.chat.peek()) return;
    history.pushState(null, '', toAddress(this.query.peek(), chat));
    this.readAddress();
    this.readLists();
  }

  close(): void {
    history.pushState(null, '', toAddress(this.query.peek(), ''));
    this.readAddress();
  }

  async more(): Promise<void> {
    const cursor = this.next.peek();
    const hits = this.hits.peek();
    if (cursor === null || hits.at !== 'here' || this.loadingMore.peek()) return;
    this.loadingMore.value = true;
    const mine = this.asked;
    try {
      const page = pageOf(await this.get(toRequest(this.query.peek(), cursor, PAGE)));
      if (mine !== this.asked) return;
      batch(() => {
        this.hits.value = { at: 'here', value: [...hits.value, ...page.items] };
        this.next.value = page.next;
      });
    } catch (error) {
      this.toasts.bad(this.words(error));
    } finally {
      this.loadingMore.value = false;
    }
  }

  retry(): void {
    void this.find(this.query.peek());
  }

  reopen(): void {
    void this.read(this.chat.peek());
  }

  /** Why nothing was found, as far as it can be told. */
  whyNothing(): string {
    const { rep, ...rest } = this.query.value;
    const people = this.people.value;
    const seesAll = this.session.roles.some((r) => r === 'qa' || r === 'director');
    if (rep !== '' && people.length > 0 && !people.some((p) => p.id === rep)) return t('results.no_person', { name: rep });
    if (rest.q !== '' || hasChips({ ...rest, rep: '' }) || (rep !== '' && !seesAll)) return t('results.none');
    if (!seesAll) return t('results.empty_own');
    return rep === '' ? t('results.empty') : t('results.none_of', { name: this.nameOf(rep) });
  }

  /** The same search with ids in the place of what is typed for them: a login or a name, the title of a department. */
  named(query: Query): Query {
    const wanted = query.rep.toLowerCase();
    const person = this.people.peek().find((p) => p.id === query.rep || p.login?.toLowerCase() === wanted || p.name.toLowerCase() === wanted);
    return { ...query, rep: person?.id ?? query.rep, department: departmentNamed(query.department) };
  }

  nameOf(who: Person | string | null | undefined): string {
    const id = typeof who === 'string' ? who : who?.id;
    const given = typeof who === 'string' ? undefined : who?.name;
    return given || this.people.value.find((p) => p.id === id)?.name || (id ?? t('nobody'));
  }

  private readAddress(): void {
    const { query, chat } = fromAddress(location.search);
    const same = JSON.stringify(query) === JSON.stringify(this.query.peek());
    const before = this.chat.peek();
    batch(() => {
      if (!same) this.query.value = query; // a new one takes away what is typed beside it
      this.chat.value = chat;
    });
    if (!same || this.hits.peek().at === 'none') void this.find(query);
    if (chat === '') this.transcript.value = { at: 'none' };
    else if (chat !== before || this.transcript.peek().at === 'none') void this.read(chat);
  }

  private async find(query: Query): Promise<void> {
    const mine = ++this.asked;
    this.hits.value = { at: 'loading' };
    this.next.value = null;
    try {
      const page = pageOf(await this.get(toRequest(query, null, PAGE)));
      if (mine !== this.asked) return;
      batch(() => {
        this.hits.value = { at: 'here', value: page.items };
        this.next.value = page.next;
      });
    } catch (error) {
      if (mine === this.asked) this.hits.value = { at: 'failed', why: this.words(error) };
    }
  }

  // --- reading

  /** People and scorecards; what could not be read is asked for again with the next transcript. */
  private readLists(): void {
    if (this.people.peek().length === 0) {
      void this.get('/api/v1/people').then((a) => {
        this.people.value = itemsOf<Staff>(a);
        takeDepartmentTitles(a);
      }, () => undefined);
    }
    if (this.cards.peek().length === 0) void this.get('/api/v1/scorecards').then((a) => (this.cards.value = itemsOf<Scorecard>(a)), () => undefined);
  }

  private async read(chat: string): Promise<void> {
    batch(() => {
      this.transcript.value = { at: 'loading' };
      this.reviews.value = { at: 'loading' };
      this.selected.value = null;
      this.criterion.value = 0;
      this.commenting.value = null;
      this.error.value = '';
      this.sheet.value = readSheet(readJson(this.store, this.sheetKey(chat)));
    });
    try {
      const answer = (await this.get(`/api/v1/transcripts/${encodeURIComponent(chat)}`)) as Transcript;
      if (chat !== this.chat.peek()) return;
      batch(() => {
        this.transcript.value = { at: 'here', value: answer };
        this.selected.value = firstMarked(answer.events, this.query.peek().q);
      });
    } catch (error) {
      if (chat === this.chat.peek()) this.transcript.value = { at: 'failed', why: this.words(error) };
      return;
    }
    await this.readReviews(chat);
  }

  async readReviews(chat: string): Promise<void> {
    const read = this.get(`/api/v1/reviews?chat=${encodeURIComponent(chat)}`);
    const reviews: Fetched<Review[]> = await read.then((a) => ({ at: 'here', value: itemsOf<Review>(a) }), (error) => ({ at: 'failed', why: this.words(error) }));
    if (chat === this.chat.peek()) this.reviews.value = reviews;
  }

  /** To the message before or after the selected one. */
  jump(by: 1 | -1): void {
    const here = this.transcript.peek();
    if (here.at !== 'here') return;
    const seqs = here.value.events.filter(isSaid).map((e) => e.seq);
    const now = this.selected.peek();
    const at = now === null ? (by > 0 ? -1 : seqs.length) : seqs.findIndex((s) => s >= now);
    const to = seqs[Math.min(seqs.length - 1, Math.max(0, at + by))];
    if (to !== undefined) this.selected.value = to;
  }

  async download(format: Format): Promise<void> {
    const chat = this.chat.peek();
    try {
      const response = await fetch(`/api/v1/transcripts/${encodeURIComponent(chat)}`, { headers: { Accept: accepts[format] }, credentials: 'same-origin' });
      if (!response.ok) throw new ApiError(response.status, '');
      const mark = format === 'csv' ? ['\ufeff'] : []; // without it a spreadsheet reads it in the local code page
      const url = URL.createObjectURL(new Blob([...mark, await response.blob()]));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${chat}.${endings[format]}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      this.toasts.bad(this.words(error));
    }
  }

  // --- judging

  mark(criterion: string, change: Mark): void {
    const sheet = this.sheet.peek();
    this.error.value = '';
    this.keep({ ...sheet, marks: { ...sheet.marks, [criterion]: { ...sheet.marks[criterion], ...change } } });
  }

  /** Scores the criterion at hand and goes to the next. */
  scoreHere(score: number | null): void {
    const card = this.card.peek();
    const at = card?.criteria[this.criterion.peek()];
    if (!card || !at || !this.mayJudge) return;
    this.mark(at.id, { score });
    this.criterion.value = Math.min(card.criteria.length - 1, this.criterion.peek() + 1);
  }

  stepCriterion(by: 1 | -1): void {
    const n = this.card.peek()?.criteria.length ?? 0;
    this.criterion.value = Math.min(n - 1, Math.max(0, this.criterion.peek() + by));
  }

  /** Opens the comment of a criterion; what is selected becomes the message that it is pinned to. */
  comment(criterion: string): void {
    const seq = this.selected.peek();
    if (seq !== null && this.sheet.peek().marks[criterion]?.seq === undefined) this.mark(criterion, { seq });
    this.commenting.value = criterion;
  }

  unpin(criterion: string): void {
    const { seq: _, ...mark } = this.sheet.peek().marks[criterion] ?? {};
    this.keep({ ...this.sheet.peek(), marks: { ...this.sheet.peek().marks, [criterion]: mark } });
  }

  setComment(text: string): void {
    this.keep({ ...this.sheet.peek(), comment: text });
  }

  async submit(): Promise<void> {
    const card = this.card.peek();
    const chat = this.chat.peek();
    if (!card || chat === '' || this.sending.peek() || !this.mayJudge) return;
    if (!isComplete(this.sheet.peek(), card)) {
      this.error.value = t('review.incomplete');
      const open = card.criteria.findIndex((c) => this.sheet.peek().marks[c.id]?.score === undefined);
      if (open >= 0) this.criterion.value = open;
      return;
    }
    this.sending.value = true;
    this.error.value = '';
    try {
      const sent = this.sheet.peek();
      const answer = await this.ask('POST', '/api/v1/reviews', toBody(chat, sent, card));
      const score = isObject(answer) && typeof answer['score'] === 'number' ? answer['score'] : 0;
      const changed = readSheet(readJson(this.store, this.sheetKey(chat))).ref !== sent.ref; // meanwhile: that is another review
      if (!changed) this.store.remove(this.sheetKey(chat));
      this.toasts.say(t('review.stored', { score }));
      if (chat !== this.chat.peek()) return;
      if (!changed) this.sheet.value = emptySheet;
      await this.openNext(chat);
    } catch (error) {
      if (chat === this.chat.peek()) this.error.value = this.words(error);
      else this.toasts.bad(t('review.not_stored', { why: this.words(error) }));
    } finally {
      this.sending.value = false;
    }
  }

  /** The one behind it in the results, also where that is on a page which isn't here yet. */
  private async openNext(chat: string): Promise<void> {
    const listed = () => {
      const hits = this.hits.peek();
      return hits.at === 'here' ? hits.value.map((h) => h.chat) : [];
    };
    if (listed().at(-1) === chat) await this.more();
    if (chat !== this.chat.peek()) return;
    const at = listed().indexOf(chat);
    const next = at < 0 ? undefined : listed()[at + 1];
    if (next) this.open(next);
    else await this.readReviews(chat);
  }

  /** Another reference with each change: what is sent again is the same review, what was changed is another. */
  private keep(changed: Sheet): void {
    const sheet = { ...changed, ref: makeId() };
    this.sheet.value = sheet;
    const key = this.sheetKey(this.chat.peek());
    if (isTouched(sheet)) this.store.set(key, JSON.stringify(sheet));
    else this.store.remove(key);
  }

  private sheetKey(chat: string): string {
    return `firstline:staff:review:${this.session.person.id}:${chat}`;
  }

  // --- asking

  private get(path: string): Promise<unknown> {
    return this.ask('GET', path);
  }

  private async ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    try {
      return await call(method, path, body);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.onSignedOut();
      throw error;
    }
  }

  private words(error: unknown): string {
    if (!(error instanceof ApiError)) throw error;
    switch (error.status) {
      case 0: return t('qa.unreachable');
      case 401: return t('error.unauthorized');
      case 403: return t('error.forbidden');
      case 404: return t('qa.not_found');
      case 400: return t('error.bad_request');
      case 503: return t(error.reason === 'too_slow' ? 'qa.too_slow' : 'qa.archive_away');
      default: return t('error.internal');
    }
  }
}

/** Where a search meets the transcript. */
function firstMarked(events: EventEntry[], q: string): number | null {
  const hit = events.find((e) => {
    const text = isSaid(e) && 'text' in e ? (e.text ?? '') : '';
    return markWords(q, text).some((word) => text.toLowerCase().includes(word.toLowerCase()));
  });
  return hit?.seq ?? null;
}

function itemsOf<T>(answer: unknown): T[] {
  return isObject(answer) && Array.isArray(answer['items']) ? (answer['items'] as T[]) : [];
}

function pageOf(answer: unknown): { items: Hit[]; next: string | null } {
  const next = isObject(answer) ? answer['next'] : null;
  return { items: itemsOf<Hit>(answer), next: typeof next === 'string' && next !== '' ? next : null };
}
