// The desk: everything a signed-in rep has before them, kept in step with the server.
//
//   socket → welcome, entries, signals → views and lists (signals) → screens
//   screens → act() for commands, outbox for texts → socket
import { batch, computed, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { makeId } from '../../model/ids.js';
import { syncAgainMs } from '../../model/log.js';
import { Outbox } from '../../model/outbox.js';
import type { OutItem } from '../../model/outbox.js';
import { Socket } from '../../model/socket.js';
import type { Link, SocketOptions } from '../../model/socket.js';
import type { Store } from '../../model/storage.js';
import { Refusal, assertNever } from '../../model/types.js';
import type {
  ClientMessage, Colleague, Draft as Command, EventEntry, From, Health, OfferSignal, QueueLine, Random, ServerAlert, ServerBoard, ServerMessage, ServerOffer, ServerOk, Task,
  ServerWelcome, Settings, Shift, Timers, WelcomeChat,
} from '../../model/types.js';
import type { Session } from './api.js';
import { Drafts } from './drafts.js';
import type { Mode } from './drafts.js';
import { departmentText, takeDepartmentTitles } from './labels.js';
import { groupRows } from './lists.js';
import { commandOf, entryMade } from './made.js';
import type { DialogState } from './dialogs.js';
import { notice, soundMessage, soundOff, soundOn, startOfferSound, stopOfferSound } from './notify.js';
import { emptyRow, fromCard, fromWelcome, isOver } from './row.js';
import type { Row } from './row.js';
import { settings } from './settings.js';
import { refusalText } from './refusals.js';
import { inOrder } from './tasks.js';
import { tellOfEntry, tellOfTask } from './tell.js';
import { Toasts } from './toasts.js';
import { ChatView } from './view.js';
import { t } from './words.js';

export interface DeskOptions {
  session: Session;
  store: Store;
  timers: Timers;
  random: Random;
  socket: Pick<SocketOptions, 'url' | 'WebSocket'> & { wake?: SocketOptions['wake'] };
  /** The session is over: sign in again. */
  onSignedOut: () => void;
  /** Asks over HTTP whether the session still holds; rejects with status 401 if not. */
  checkSession: () => Promise<unknown>;
}

const RESUME_MAX = 50;
const SILENT_MS = 120_000;
const CAPACITY = 4;
const PROXY_TRIES = 10;

export class Desk {
  readonly me: From & { id: string; name: string };
  readonly isLead: boolean;
  readonly isEditor: boolean;
  readonly drafts: Drafts;
  readonly outbox: Outbox;
  readonly toasts: Toasts;
  readonly views = new Map<string, ChatView>();
  /** Goes up when chats come or go. */
  readonly membership = signal(0);
  readonly link = signal<Link>('off');
  readonly trouble = signal(false);
  readonly health = signal<Health>({ chats: 'open' });
  /** The server answers over HTTP, but not as a WebSocket. */
  readonly proxyBlocks = signal(false);
  readonly ready = signal(false);
  readonly open = signal<string | null>(null);
  readonly screen = signal<'chats' | 'tasks' | 'board' | 'knowledge'>('chats');
  readonly mode = signal<Mode>('reply');
  readonly dialog = signal<DialogState | null>(null);
  /** What is written in dialogs that are not sent yet, by dialog and field. */
  readonly written = new Map<string, string>();
  readonly shift = signal<Shift>({ state: 'off', capacity: 4, load: 0 });
  readonly offers = signal<OfferSignal[]>([]);
  /** The chats whose offer is being answered. */
  readonly answering = new Set<string>();
  readonly queues = signal<QueueLine[]>([]);
  readonly people = signal<Colleague[]>([]);
  readonly departments = signal<string[]>([]);
  readonly alerts = signal<ServerAlert[]>([]);
  /** Messages left and call-backs asked for, until they are done. */
  readonly tasks = signal<Task[]>([]);
  readonly limits = signal<Settings & { transfer_ms?: number }>({});
  readonly outgoing = signal(0);
  readonly search = signal('');
  /** The server's time, told once a second while the page is seen. */
  readonly now = signal(Date.now());
  private readonly quarter = signal(0);
  /** While the pointer or the focus is in the list its rows keep their places. */
  readonly holdOrder = signal(false);
  /** What is said to who listens; `n` tells two of the same words apart. */
  readonly announced = signal({ n: 0, text: '' });
  private readonly socket: Socket;
  private readonly lastKey: string;
  private epoch = '';
  private ticker: unknown = null;

  constructor(private readonly o: DeskOptions) {
    const { person, roles } = o.session;
    this.isLead = roles.some((r) => r === 'lead' || r === 'director');
    this.isEditor = roles.some((r) => r === 'editor' || r === 'director');
    this.me = { role: this.isLead ? 'lead' : 'rep', id: person.id, name: person.name };
    this.departments.value = o.session.departments;
    this.lastKey = `firstline:staff:open:${person.id}`;
    this.toasts = new Toasts(o.timers);
    this.drafts = new Drafts(o.store, o.timers, `firstline:staff:draft:${person.id}:`);
    this.socket = new Socket({
      ...o.socket,
      timers: o.timers,
      random: o.random,
      hello: () => ({ resume: this.resumePoints() }),
      onWelcome: (w) => batch(() => this.onWelcome(w)),
      onMessage: (m) => batch(() => this.onMessage(m)),
      onLink: (link) => this.onLink(link),
      onTrouble: (trouble) => (this.trouble.value = trouble),
      onFailed: (f) => void this.onFailed(f.opened, f.tries, f.refusal),
    });
    this.outbox = new Outbox({
      prefix: `firstline:staff:out:${person.id}:`,
      store: o.store,
      timers: o.timers,
      random: o.random,
      send: (m) => this.socket.call(m),
      isReady: () => this.socket.link === 'ready',
      onSent: (item, ok) => this.onSent(item, ok),
      onRefused: (item, refusal) => this.onRefused(item, refusal),
      onChange: () => (this.outgoing.value += 1),
    });
  }

  start(): void {
    soundOn();
    this.socket.open();
    const tick = () => {
      this.now.value = this.socket.clock.now();
      this.quarter.value = Math.floor(this.now.peek() / 15_000);
      for (const view of this.views.values()) if (view.typing.peek().length > 0) view.expireTyping(this.now.peek());
      this.ticker = this.o.timers.set(tick, 1_000);
    };
    tick();
  }

  stop(): void {
    this.socket.close();
    this.o.timers.clear(this.ticker);
    this.drafts.flush();
    soundOff();
  }

  // --- what the screens show

  readonly groups = computed(() => {
    this.membership.value;
    this.quarter.value;
    const offered = new Set(this.offers.value.map((x) => x.chat)); // they stand above the list
    const rows = [...this.views.values()].map((v) => v.row.value).filter((r) => !offered.has(r.chat) || r.handler !== null);
    return groupRows(rows, this.me.id, this.isLead, this.now.peek());
  });

  /** The open tasks in the order in which they want to be done. */
  readonly tasksInOrder = computed(() => {
    this.quarter.value;
    return inOrder(this.tasks.value, this.now.peek());
  });

  /** How many things wait for this person: for the title. */
  readonly waitingCount = computed(() => this.offers.value.length + this.groups.value.mine.filter((r) => r.unread > 0).length
    + this.groups.value.asked.length + this.alerts.value.length + this.tasks.value.filter((x) => x.owner?.id === this.me.id).length);

  get current(): ChatView | null {
    const chat = this.open.value;
    return chat === null ? null : (this.views.get(chat) ?? null);
  }

  get silentMs(): number {
    return this.limits.value.silent_ms ?? SILENT_MS;
  }

  nameOf(id: string | undefined, name?: string): string {
    return name || this.people.value.find((p) => p.id === id)?.name || (id === undefined ? t('nobody') : departmentText(id));
  }

  readonly departmentText = departmentText;

  // --- opening a chat

  show(chat: string): void {
    batch(() => {
      const before = this.open.peek();
      if (before !== null && before !== chat) this.forgetIfOver(before);
      this.ensure(chat);
      this.open.value = chat;
      this.o.store.set(this.lastKey, chat);
      this.screen.value = 'chats';
      this.mode.value = this.drafts.of(chat, 'reply').peek().text === '' && this.drafts.of(chat, 'note').peek().text !== '' ? 'note' : 'reply';
    });
    void this.load(chat);
  }

  async load(chat: string): Promise<void> {
    const view = this.ensure(chat);
    if (view.loaded.peek() === 'loading') return;
    if (view.loaded.peek() !== 'yes') view.restart();
    try {
      const ok = await this.socket.call({ t: 'chat.open', chat, after: view.log.cursor });
      batch(() => {
        view.whole(ok.seq ?? view.log.cursor, (row) => (ok.card ? fromCard(row, ok.card) : row));
        this.membership.value += 1;
      });
      this.askSuggestions(view);
    } catch (error) {
      if (view.loaded.peek() === 'loading') view.loaded.value = 'failed';
      if (!(error instanceof Refusal)) throw error;
      if (error.code === 'not_found' || error.code === 'forbidden') {
        this.toasts.bad(refusalText(error));
        this.drop(chat);
      }
    }
  }

  /** What is on screen counts as read. */
  markRead(view: ChatView): void {
    if (!view.markRead() || view.loaded.peek() !== 'yes') return;
    if (this.socket.tell({ t: 'read', chat: view.chat, seq: view.readSeq })) view.toldSeq = view.readSeq;
  }

  askSuggestions(view: ChatView): void {
    const row = view.row.peek();
    if (view.askedSuggestions || row.handler?.id !== this.me.id || row.unansweredSince === null) return;
    const asked = (view.askedSuggestions = this.socket.call({ t: 'kb.suggest', chat: view.chat }));
    asked.then(
      (ok) => ok.articles && view.askedSuggestions === asked && view.suggest(ok.articles, false),
      () => view.askedSuggestions === asked && (view.askedSuggestions = null),
    );
  }

  /** Asks the KB for a text, for the picker. */
  async findArticles(text: string): Promise<NonNullable<ServerOk['articles']>> {
    return (await this.socket.call({ t: 'kb.suggest', text })).articles ?? [];
  }

  /** The next chat by urgency, unless the person prefers to stay. */
  moveOn(from: string): void {
    if (!settings.value.moveOn || this.open.peek() !== from) return;
    const next = this.groups.value.mine.find((r) => r.chat !== from);
    if (next) this.show(next.chat);
  }

  step(by: 1 | -1, shown: string[]): void {
    if (shown.length === 0) return;
    const at = shown.indexOf(this.open.peek() ?? '');
    const to = at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length;
    const chat = shown[to];
    if (chat !== undefined) this.show(chat);
  }

  // --- acting

  /** Sends a command once and puts its entry into the log. Rejects with a Refusal. */
  async act(command: Command): Promise<ServerOk> {
    const id = command.id ?? makeId();
    const message = { ...command, id } as Command & { id: string };
    const ok = await this.socket.call(message);
    const chat = 'chat' in message && typeof message.chat === 'string' ? message.chat : null;
    if (chat !== null && ok.seq !== undefined) {
      const view = this.ensure(chat);
      const entry = entryMade(message as ClientMessage, ok, this.me, this.socket.clock.now());
      batch(() => (entry ? view.log.take(entry) : view.log.expect(ok.seq ?? 0)));
    }
    return ok;
  }

  /** The same, with the refusal said in words; null if it was refused. */
  async attempt(command: Command): Promise<ServerOk | null> {
    try {
      return await this.act(command);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.toasts.bad(refusalText(error));
      return null;
    }
  }

  announce(text: string): void {
    this.announced.value = { n: this.announced.peek().n + 1, text };
  }

  tellTyping(chat: string, on: boolean, mode: 'reply' | 'note'): void {
    this.socket.tell({ t: 'typing', chat, on, mode });
  }

  async changeShift(to: 'start' | 'pause' | 'end', capacity?: number): Promise<void> {
    const command: Command = to === 'start' ? { t: 'shift.start', capacity: capacity ?? (this.shift.peek().capacity || CAPACITY) } : { t: to === 'pause' ? 'shift.pause' : 'shift.end' };
    try {
      await this.act(command);
      const state = to === 'start' ? 'on' : to === 'pause' ? 'paused' : 'off';
      this.shift.value = { ...shiftOf(this.shift.peek(), state), capacity: capacity ?? (this.shift.peek().capacity || CAPACITY) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.toasts.bad(to === 'end' && error.code === 'conflict' ? t('shift.end_refused') : refusalText(error));
    }
  }

  dropOffer(chat: string): void {
    this.offers.value = this.offers.peek().filter((x) => x.chat !== chat);
    if (this.offers.peek().length === 0) stopOfferSound();
  }

  retryNow(): void {
    if (this.socket.link === 'ready') return;
    this.socket.restart();
  }

  // --- from the server

  private onLink(link: Link): void {
    this.link.value = link;
    if (link === 'ready') this.outbox.ready();
  }

  private resumePoints(): Array<{ chat: string; seq: number }> {
    return [...this.views.values()].filter((v) => v.log.cursor > 0).slice(0, RESUME_MAX).map((v) => ({ chat: v.chat, seq: v.log.cursor }));
  }

  private onWelcome(w: ServerWelcome): void {
    const first = this.epoch === '';
    const newEpoch = this.epoch !== '' && this.epoch !== w.epoch;
    const resumed = new Set(this.resumePoints().map((p) => p.chat));
    this.epoch = w.epoch;
    this.proxyBlocks.value = false;
    this.now.value = w.now;
    this.health.value = w.health ?? { chats: 'open' };
    if (w.shift) this.shift.value = w.shift;
    if (w.people) this.people.value = w.people;
    if (w.settings) this.limits.value = w.settings;
    takeDepartmentTitles(w.settings);
    if (w.queues) this.queues.value = w.queues;
    if (w.tasks) this.tasks.value = w.tasks;
    if (w.alerts) this.alerts.value = w.alerts.filter((a): a is Record<string, unknown> & ServerAlert => typeof a['alert'] === 'string');
    if (w.departments) this.departments.value = w.departments.map((d) => (typeof d === 'string' ? d : d.name));
    this.offers.value = w.offers ?? [];
    if (this.offers.value.length > 0) startOfferSound();
    else stopOfferSound();
    this.takeChats(w, resumed, newEpoch);
    this.ready.value = true;
    this.membership.value += 1;
    if (this.isLead) void this.socket.call({ t: 'board.watch', on: true }).catch(() => undefined);
    const open = this.open.peek();
    const last = this.o.store.get(this.lastKey);
    if (open !== null) void this.load(open);
    else if (first && last !== null && this.views.has(last)) this.show(last);
  }

  private takeChats(w: ServerWelcome, resumed: Set<string>, newEpoch: boolean): void {
    const named = new Set<string>();
    for (const c of w.chats ?? []) {
      if (c.error) {
        this.drop(c.chat);
        continue;
      }
      named.add(c.chat);
      const known = this.views.get(c.chat);
      if (!known) {
        this.add(c.chat, { ...fromWelcome(emptyRow(c.chat), c), unread: c.unread ?? 0 });
        continue;
      }
      if (c.state !== undefined) known.row.value = { ...fromWelcome(known.row.peek(), c), seq: known.row.peek().seq };
      known.log.welcomed(c.seq ?? 0, newEpoch);
      known.toldSeq = 0; // what was said of it may have been lost
      if (!resumed.has(c.chat) && c.seq !== undefined) known.log.expect(c.seq);
    }
    for (const chat of [...this.views.keys()]) if (!named.has(chat) && chat !== this.open.peek()) this.drop(chat);
  }

  private onMessage(m: Exclude<ServerMessage, { t: 'ok' | 'error' | 'welcome' }>): void {
    switch (m.t) {
      case 'event':
        this.ensure(m.chat).log.take(m);
        if (m.ref !== undefined) this.outbox.arrived(m.ref);
        return;
      case 'offer':
        return this.onOffer(m);
      case 'queue':
        if (m.department !== undefined) this.onQueue({ department: m.department, waiting: m.waiting ?? 0, longest_since: m.longest_since ?? null });
        return;
      case 'typing':
        if (m.from.id !== this.me.id) this.views.get(m.chat)?.takeTyping(m.from, m.on, m.mode ?? 'reply', m.preview ?? '', this.socket.clock.now());
        return;
      case 'receipt':
        if (m.from.role === 'shopper') this.views.get(m.chat)?.log.receipt(m.delivered, m.read);
        return;
      case 'suggest': {
        const view = this.views.get(m.chat);
        if (view) view.suggest(m.articles, m.preview === true);
        return;
      }
      case 'presence':
        return this.onPresence(m.rep, m.state, m.name, m.departments, m.why);
      case 'task':
        return this.onTask(m.task, m.state);
      case 'alert':
        if (m.kind === 'ended') {
          this.alerts.value = this.alerts.peek().filter((a) => a.alert !== m.alert);
          return;
        }
        this.alerts.value = [...this.alerts.peek().filter((a) => a.alert !== m.alert), m];
        soundMessage();
        return;
      case 'board':
        return this.onBoard(m);
      case 'health':
        this.health.value = m;
        return;
      default:
        assertNever(m);
    }
  }

  private onOffer(m: ServerOffer): void {
    const had = this.offers.peek().find((x) => x.chat === m.chat);
    if (m.kind === 'ended') {
      this.dropOffer(m.chat);
      if (had && m.why !== 'accepted' && (m.why === 'missed' || this.socket.clock.now() > had.deadline_at - 1_000)) this.toasts.bad(t('offer.missed'));
      else if (had && m.why !== 'accepted' && m.why !== 'declined') this.toasts.say(t('offer.ended'));
      return;
    }
    const offer: OfferSignal = { chat: m.chat, kind: m.kind, deadline_at: m.deadline_at ?? this.now.peek(), ...(m.card ? { card: m.card } : {}), ...(m.from ? { from: m.from } : {}) };
    this.offers.value = [...this.offers.peek().filter((x) => x.chat !== m.chat), offer];
    startOfferSound();
    notice(t('offer.notice'), m.card?.first_text ?? '', `offer-${m.chat}`, () => undefined);
  }

  private onTask(task: Task, state: 'open' | 'done'): void {
    const others = this.tasks.peek().filter((x) => x.task !== task.task);
    const isNew = state === 'open' && others.length === this.tasks.peek().length;
    this.tasks.value = state === 'open' ? [...others, task] : others;
    if (isNew) tellOfTask(this, task);
  }

  /** Done by somebody: off the list before the server says so to everybody. */
  dropTask(task: string): void {
    this.tasks.value = this.tasks.peek().filter((x) => x.task !== task);
  }

  private onQueue(line: QueueLine): void {
    const others = this.queues.peek().filter((q) => q.department !== line.department);
    this.queues.value = [...others, line].sort((a, b) => (a.department < b.department ? -1 : 1));
  }

  private onPresence(rep: string, state: string, name?: string, departments?: string[], why?: string): void {
    const have = this.people.peek().find((p) => p.id === rep);
    const next: Colleague = { ...have, id: rep, name: name ?? have?.name ?? rep, state, ...(departments ? { departments } : {}) };
    this.people.value = have ? this.people.peek().map((p) => (p.id === rep ? next : p)) : [...this.people.peek(), next];
    if (rep === this.me.id && (state === 'on' || state === 'paused' || state === 'off')) this.shift.value = shiftOf(this.shift.peek(), state, why);
  }

  /** Once a second for leads: what has not changed is left alone. */
  private onBoard(board: ServerBoard): void {
    if (board.departments) this.setIfNew(this.queues, board.departments);
    if (board.people) this.setIfNew(this.people, board.people);
    if (board.alerts) this.setIfNew(this.alerts, board.alerts.filter((a): a is Record<string, unknown> & ServerAlert => typeof a['alert'] === 'string'));
    if (!board.chats) return;
    const listed = new Set<string>();
    for (const line of board.chats as WelcomeChat[]) {
      listed.add(line.chat);
      const view = this.views.get(line.chat);
      if (!view) this.add(line.chat, fromWelcome(emptyRow(line.chat), line));
      else if (this.isBystander(view.row.peek()) && (line.seq ?? 0) > view.row.peek().seq) view.row.value = fromWelcome(view.row.peek(), line);
    }
    for (const [chat, view] of this.views) if (!listed.has(chat) && chat !== this.open.peek() && this.isBystander(view.row.peek())) this.drop(chat);
  }

  /** Of chats that are not one's own no entries come unless they are open: the board tells of them. */
  private isBystander(row: Row): boolean {
    const me = this.me.id;
    return row.handler?.id !== me && row.owner?.id !== me && row.consult?.to.id !== me;
  }

  private setIfNew<T>(to: Signal<T>, value: T): void {
    if (JSON.stringify(to.peek()) !== JSON.stringify(value)) to.value = value;
  }

  private onEntry(view: ChatView, e: EventEntry, before: Row): void {
    if (e.kind === 'alert_acted') this.alerts.value = this.alerts.peek().filter((a) => a.alert !== e.alert);
    if (isOver(view.row.peek()) && this.open.peek() !== view.chat) this.o.timers.set(() => this.forgetIfOver(view.chat), 0);
    tellOfEntry(this, view, e, before);
  }

  private onSent(item: OutItem, ok: ServerOk): void {
    if (item.chat === null) return;
    const view = this.ensure(item.chat);
    const entry = entryMade(item.message, ok, this.me, this.socket.clock.now());
    batch(() => (entry ? view.log.take(entry) : view.log.expect(ok.seq ?? 0)));
  }

  /** Takes a text out of the outbox, back to the draft that it was. */
  edit(item: OutItem): void {
    const { message } = item;
    this.outbox.remove(item.id);
    if (item.chat === null || !('text' in message)) return;
    this.drafts.giveBack(item.chat, message.t === 'note.add' ? 'note' : message.t === 'whisper' ? 'whisper' : 'reply', message.text ?? '');
  }

  /** Refused because of who handles it, or because it is over or out of sight: the text goes back to its draft. */
  private onRefused(item: OutItem, refusal: Refusal): void {
    if (item.chat === null || !('text' in item.message)) return;
    const back = refusal.code === 'not_handler' || refusal.code === 'closed' || refusal.code === 'conflict' || refusal.code === 'forbidden' || refusal.code === 'not_found';
    if (!back) return;
    this.edit(item);
    const view = this.views.get(item.chat);
    if (refusal.code === 'not_handler' && view) view.change({ handler: refusal.handler ?? null });
    this.toasts.bad(t('refused.kept', { why: refusalText(refusal) }));
  }

  private async onFailed(opened: boolean, tries: number, refusal: Refusal | null): Promise<void> {
    if (refusal?.code === 'unauthorized' || refusal?.code === 'forbidden') return this.o.onSignedOut();
    if (opened || tries % 3 !== 2) return;
    const known = this.ready.peek(); // it has worked: then a restart is likelier than a proxy
    try {
      await this.o.checkSession();
      this.proxyBlocks.value = this.socket.link !== 'ready' && (!known || tries > PROXY_TRIES);
    } catch (error) {
      const stopped = this.socket.link === 'off'; // then it is another desk's now
      if (!stopped && error instanceof Error && 'status' in error && error.status === 401) this.o.onSignedOut();
    }
  }

  // --- the views

  private ensure(chat: string): ChatView {
    return this.views.get(chat) ?? this.add(chat, emptyRow(chat));
  }

  private add(chat: string, row: Row): ChatView {
    const view = new ChatView(chat, {
      sync: (v, after) => this.sync(v, after),
      entry: (v, e, before) => this.onEntry(v, e, before),
      voided: (entries) => this.onVoided(entries),
    }, row);
    this.views.set(chat, view);
    this.membership.value += 1;
    return view;
  }

  private drop(chat: string): void {
    if (!this.views.delete(chat)) return;
    if (this.open.peek() === chat) this.open.value = null;
    const dialog = this.dialog.peek();
    if (dialog && 'chat' in dialog && dialog.chat === chat) this.dialog.value = null;
    this.membership.value += 1;
  }

  private forgetIfOver(chat: string): void {
    const view = this.views.get(chat);
    if (view && isOver(view.row.peek()) && this.open.peek() !== chat) this.drop(chat);
  }

  private sync(view: ChatView, after: number): void {
    const log = view.log;
    this.socket.call({ t: 'sync', chat: view.chat, after }).then(
      (ok) => batch(() => log.synced(ok.seq ?? after)),
      (refusal: unknown) => {
        log.syncFailed();
        const wait = syncAgainMs(refusal);
        // Without a connection the next welcome sees to it.
        if (wait !== null && this.socket.link === 'ready') this.o.timers.set(() => view.log === log && this.views.get(view.chat) === view && this.sync(view, log.cursor), wait);
      },
    );
  }

  private onVoided(entries: EventEntry[]): void {
    for (const e of entries) {
      const command = e.from.id === this.me.id ? commandOf(e) : null;
      if (command) this.outbox.add(e.chat, command);
    }
  }
}

/** Why it is paused goes with the pause. */
function shiftOf(before: Shift, state: Shift['state'], why?: string): Shift {
  return { state, capacity: before.capacity, load: before.load, ...(why !== undefined ? { why } : {}) };
}
