// A chat's log, windowed: only the chunks near the viewport are in the page, so 5,000 entries cost what 100 do.
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { OutItem } from '../../model/outbox.js';
import type { EventEntry } from '../../model/types.js';
import { codeText } from '../../state/console/refusals.js';
import type { ChatView } from '../../state/console/view.js';
import { i18n, t } from '../../state/console/words.js';
import { Avatar, Button, Icon, Spinner, icons } from '../kit/index.js';
import { Candidates } from './Candidates.js';
import { useDesk } from './desk.js';
import { careName, eventLine, fromName } from './eventText.js';
import { buildItems } from './items.js';
import type { LogItem } from './items.js';
import { TextBody } from './TextBody.js';

const CHUNK = 40;
const GUESS_PX = 48;
const NEAR_PX = 60;
const MARGIN_PX = 600;
/** A scroll so soon after a wheel, touch or key is the reader's own. */
const HAND_MS = 1_000;

export function Log({ view }: { view: ChatView }) {
  const desk = useDesk();
  const version = view.version.value;
  const outgoing = desk.outgoing.value;
  const lang = i18n.value;
  const items = useMemo(() => buildItems(view.log.entries, lang.sameDay), [view, version, lang]);
  const out = useMemo(() => desk.outbox.of(view.chat), [view, version, outgoing]);
  const chunks = Math.max(1, Math.ceil(items.length / CHUNK));

  const box = useRef<HTMLDivElement>(null);
  const heights = useRef(new Map<number, number>());
  const stuck = useRef(true);
  const lastTop = useRef(0);
  const handAt = useRef(0);
  const hand = () => (handAt.current = Date.now());
  const [range, setRange] = useState<[number, number]>([Math.max(0, chunks - 2), chunks]);
  const [, again] = useReducer((n: number) => n + 1, 0);
  const [below, setBelow] = useState(0);

  const heightOf = (i: number) => heights.current.get(i) ?? Math.min(CHUNK, items.length - i * CHUNK) * GUESS_PX;
  const wanted = (): [number, number] => {
    const el = box.current;
    if (!el) return range;
    let y = 0;
    let from = chunks;
    let to = 0;
    for (let i = 0; i < chunks; i++) {
      const h = heightOf(i);
      if (y + h >= el.scrollTop - MARGIN_PX && y <= el.scrollTop + el.clientHeight + MARGIN_PX) {
        from = Math.min(from, i);
        to = i + 1;
      }
      y += h;
    }
    return from < to ? [from, to] : [Math.max(0, chunks - 2), chunks];
  };
  const toBottom = () => {
    const el = box.current;
    if (el) el.scrollTop = el.scrollHeight;
    stuck.current = true;
    setBelow(0);
  };
  const onScroll = () => {
    const el = box.current;
    if (!el) return;
    // Only the reader lets go of the bottom: a pane that grows or shrinks does not.
    if (el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_PX) stuck.current = true;
    else if (el.scrollTop < lastTop.current - 1 && Date.now() - handAt.current < HAND_MS) stuck.current = false;
    lastTop.current = el.scrollTop;
    if (stuck.current) {
      setBelow(0);
      if (document.visibilityState === 'visible') desk.markRead(view);
    }
    const [from, to] = wanted();
    if (from !== range[0] || to !== range[1]) setRange([from, to]);
  };

  // What was only guessed above the viewport and is now measured must not move what is read.
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    let moved = 0;
    for (const part of el.querySelectorAll<HTMLElement>('[data-chunk]')) {
      const i = Number(part.dataset['chunk']);
      const before = heightOf(i);
      const now = part.offsetHeight;
      if (before !== now && part.offsetTop + now < el.scrollTop + el.clientHeight / 2 && !stuck.current) moved += now - before;
      heights.current.set(i, now);
    }
    if (stuck.current) el.scrollTop = el.scrollHeight;
    else if (moved !== 0) el.scrollTop += moved;
    const [from, to] = wanted();
    if (from !== range[0] || to !== range[1]) setRange([from, to]);
  });
  useLayoutEffect(() => {
    stuck.current = true;
    heights.current.clear();
    setRange([Math.max(0, chunks - 2), chunks]);
    setBelow(0);
  }, [view]);
  useEffect(() => {
    const onSeen = () => stuck.current && document.visibilityState === 'visible' && desk.markRead(view);
    document.addEventListener('visibilitychange', onSeen);
    return () => document.removeEventListener('visibilitychange', onSeen);
  }, [view]);
  useEffect(() => {
    const el = box.current;
    if (!el) return undefined;
    const seen = new ResizeObserver(() => stuck.current && (el.scrollTop = el.scrollHeight));
    seen.observe(el);
    return () => seen.disconnect();
  }, []);
  // What one has just written is shown; what the others say is no reason to leave what is read.
  const sending = useRef(out.length);
  useLayoutEffect(() => {
    if (out.length > sending.current) toBottom();
    sending.current = out.length;
  }, [out]);
  const shown = view.row.value.seq;
  const lastSeen = useRef(0);
  useEffect(() => {
    if (stuck.current && document.visibilityState === 'visible') desk.markRead(view);
    else if (!stuck.current && lastSeen.current > 0) setBelow((n) => n + view.log.entries.filter((e) => e.seq > lastSeen.current && e.kind === 'message').length);
    lastSeen.current = shown;
    again(0);
  }, [view, shown, version]);

  const from = Math.min(range[0], chunks - 1);
  const to = Math.min(Math.max(range[1], from + 1), chunks);
  let above = 0;
  let under = 0;
  for (let i = 0; i < from; i++) above += heightOf(i);
  for (let i = to; i < chunks; i++) under += heightOf(i);
  return (
    <div class="log-wrap">
      <div class="log" ref={box} onScroll={onScroll} onWheel={hand} onTouchMove={hand} onPointerDown={hand} onPointerMove={(e) => e.buttons > 0 && hand()} onKeyDown={hand} role="log" aria-live="off" aria-label={t('log.label')} tabIndex={0}>
        {view.loaded.value === 'loading' && <div class="log-note"><Spinner label={t('log.loading')} /></div>}
        {view.loaded.value === 'failed' && (
          <div class="log-note">
            <p>{t('log.failed')}</p>
            <Button small icon={icons.refresh} onClick={() => void desk.load(view.chat)}>{t('retry')}</Button>
          </div>
        )}
        <div class="log-space" style={{ height: `${above}px` }} />
        {Array.from({ length: to - from }, (_, n) => from + n).map((i) => (
          <div class="log-chunk" data-chunk={i} key={i}>
            {items.slice(i * CHUNK, (i + 1) * CHUNK).map((item) => <ItemRow key={item.key} item={item} view={view} me={desk.me.id} />)}
          </div>
        ))}
        <div class="log-space" style={{ height: `${under}px` }} />
        {out.map((item) => <Unsent key={item.id} item={item} failed={item.state === 'failed'} />)}
      </div>
      {below > 0 && (
        <button type="button" class="log-down" onClick={toBottom}><Icon path={icons.chevronDown} size={16} />{t('log.below', { n: below })}</button>
      )}
    </div>
  );
}

export function ItemRow({ item, view, me }: { item: LogItem; view: ChatView; me: string }) {
  switch (item.type) {
    case 'day':
      return <div class="day" role="separator"><span>{i18n.value.day(item.at, Date.now())}</span></div>;
    case 'message':
      return <Message item={item} view={view} me={me} />;
    case 'note':
      return <Note entry={item.entry} />;
    case 'mark':
      return <Mark entry={item.entry} bare={item.bare} />;
    default:
      return <Quiet item={item} view={view} />;
  }
}

export function Time({ at }: { at: number }) {
  return <time class="when" dateTime={new Date(at).toISOString()} title={i18n.value.full(at)}>{i18n.value.time(at)}</time>;
}

function Message({ item, view, me }: { item: Extract<LogItem, { type: 'message' }>; view: ChatView; me: string }) {
  const e = item.entry;
  const isShopper = e.from.role === 'shopper';
  const isMine = e.from.id === me && !isShopper;
  const name = e.kind === 'care' ? careName(e.step) : isMine ? t('you') : fromName(e.from);
  const side = isShopper ? 'them' : e.kind === 'care' || e.from.role === 'system' || e.from.role === 'bot' ? 'us auto' : 'us';
  return (
    <article class={`msg ${side}${item.grouped ? ' grouped' : ''}`}>
      {isShopper && <div class="msg-side">{!item.grouped && <Avatar name={name} small />}</div>}
      <div class="msg-main">
        {!item.grouped && <div class="msg-head"><b dir="auto">{name}</b></div>}
        <div class="bubble">
          <TextBody text={e.kind === 'care' ? (e.text ?? '') : e.text} />
          <span class="msg-foot">
            {e.kind === 'message' && e.article !== undefined && <span class="from-kb" title={t('msg.from_article')}><Icon path={icons.book} size={13} /><span class="sr">{t('msg.from_article')}</span></span>}
            <Time at={e.at} />
            {!isShopper && e.kind === 'message' && <Receipt read={e.seq <= view.log.read} delivered={e.seq <= view.log.delivered} />}
          </span>
        </div>
      </div>
    </article>
  );
}

function Receipt({ read, delivered }: { read: boolean; delivered: boolean }) {
  const state = read ? t('msg.read') : delivered ? t('msg.delivered') : t('msg.sent');
  const looks = read ? 'receipt read' : 'receipt';
  return <span class={looks} title={state}><Icon path={delivered ? icons.checks : icons.check} size={14} /><span class="sr">{state}</span></span>;
}

/** The item changes in place: what shows of it is a property of its own. */
function Unsent({ item, failed }: { item: OutItem; failed: boolean }) {
  const desk = useDesk();
  const message = item.message;
  const text = 'text' in message ? (message.text ?? '') : '';
  const isNote = message.t !== 'message.send';
  return (
    <article class={`msg us unsent${isNote ? ' memo-like' : ''}`}>
      <div class="msg-main">
        <div class="bubble">
          <TextBody text={text} />
          <span class="msg-foot">
            {!failed ? <><Icon path={icons.clock} size={13} />{t('msg.pending')}</> : <span class="failed"><Icon path={icons.alert} size={13} />{t('msg.failed')}</span>}
          </span>
        </div>
        {failed && (
          <div class="unsent-acts">
            <span>{item.error ? codeText(item.error.code) : ''}</span>
            <Button small kind="quiet" onClick={() => desk.outbox.retry(item.id)}>{t('retry')}</Button>
            <Button small kind="quiet" onClick={() => void navigator.clipboard?.writeText(text)}>{t('copy')}</Button>
            <Button small kind="quiet" onClick={() => desk.edit(item)}>{t('msg.edit')}</Button>
          </div>
        )}
      </div>
    </article>
  );
}

function Note({ entry }: { entry: Extract<EventEntry, { kind: 'note' | 'whisper' }> }) {
  const isWhisper = entry.kind === 'whisper';
  return (
    <article class={isWhisper ? 'memo whisper' : 'memo'}>
      <div class="memo-head">
        <Icon path={isWhisper ? icons.lock : icons.note} size={15} />
        <b>{isWhisper ? t('note.whisper_by', { name: fromName(entry.from) }) : t('note.by', { name: fromName(entry.from) })}</b>
        <span class="memo-mark">{t('note.hidden')}</span>
        <Time at={entry.at} />
      </div>
      <TextBody text={entry.text} />
    </article>
  );
}

function Mark({ entry, bare }: { entry: EventEntry; bare: boolean }) {
  const { icon, text, detail } = eventLine(entry);
  return (
    <div class={`mark k-${entry.kind}`}>
      <div class="mark-line"><Icon path={icon} size={15} /><span dir="auto">{text}</span><Time at={entry.at} /></div>
      {detail && !bare && <div class="mark-detail"><TextBody text={detail} /></div>}
    </div>
  );
}

/** How many quiet rows may stand open. */
const PLAIN_ROWS = 2;

function Quiet({ item, view }: { item: Extract<LogItem, { type: 'quiet' }>; view: ChatView }) {
  const open = view.openGroups.value.has(item.seq);
  const folded = item.entries.length > PLAIN_ROWS;
  const rows = !folded || open ? item.entries : item.entries.slice(-1);
  const toggle = () => {
    const groups = new Set(view.openGroups.peek());
    if (!groups.delete(item.seq)) groups.add(item.seq);
    view.openGroups.value = groups;
  };
  return (
    <div class="calm">
      {folded && (
        <button type="button" class="calm-more" aria-expanded={open} onClick={toggle}>
          <Icon path={open ? icons.chevronDown : icons.chevronRight} size={13} />
          {open ? t('log.fold') : t('log.earlier', { n: item.entries.length - 1 })}
        </button>
      )}
      {rows.map((entry) => <QuietRow key={entry.seq} entry={entry} />)}
    </div>
  );
}

function QuietRow({ entry }: { entry: EventEntry }) {
  const { icon, text, detail } = eventLine(entry);
  return (
    <div class="calm-row">
      <Icon path={icon} size={13} />
      <span class="calm-text" dir="auto">{text}{detail && <span class="calm-detail"> · {detail}</span>}<Candidates entry={entry} /></span>
      <Time at={entry.at} />
    </div>
  );
}
