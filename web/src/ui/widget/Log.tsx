import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { OutItem } from '../../model/outbox.js';
import type { EventEntry } from '../../model/types.js';
import { Button } from '../kit/Button.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { Avatar } from '../kit/small.js';
import { ArticleRow } from './Articles.js';
import { entryWords, when } from './entry.js';
import { Linked } from './text.js';
import { useUi } from './ui.js';

/** Messages of one person within this time stand together. */
const GROUP_MS = 5 * 60_000;

/** The conversation, newest below; stays at the end while the reader is at the end. */
export function Log({ children }: { children?: ComponentChildren }) {
  const { s, i, t } = useUi();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [behind, setBehind] = useState(false);
  const entries = s.log?.entries ?? [];
  const last = entries[entries.length - 1];
  const size = `${last?.seq ?? 0}:${s.sending.length}:${s.typing ? 1 : 0}:${s.queue ? 1 : 0}:${s.case.state}`;

  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
    setBehind(false);
  };
  const own = useRef('');
  useLayoutEffect(() => {
    // What one has just said is shown; a sign of the other side is no reason to leave what is read.
    const said = last?.from.role === 'shopper' || s.sending.length > 0 ? `${last?.seq ?? 0}:${s.sending.length}` : '';
    if (atEnd.current || (said && said !== own.current)) toEnd();
    else if (!said) setBehind(true);
    own.current = said;
  }, [size]);
  useLayoutEffect(() => {
    if (!box.current || typeof ResizeObserver === 'undefined') return undefined;
    const watch = new ResizeObserver(() => atEnd.current && toEnd());
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);

  return (
    <div class="log-wrap">
      <div class="scroll log" ref={box} role="log" aria-live="off" aria-label={t('log.name')} tabIndex={0}
        onScroll={(e) => {
          const b = e.currentTarget;
          atEnd.current = b.scrollHeight - b.scrollTop - b.clientHeight < 40;
          if (atEnd.current) setBehind(false);
        }}>
        {entries.map((e, n) => <Row key={e.seq} entry={e} before={entries[n - 1]} after={entries[n + 1]} />)}
        {s.sending.map((item) => <Sending key={item.id} item={item} />)}
        {children}
        {s.typing && (
          <div class="row theirs">
            <Avatar name={s.typing.name || (s.case.handler?.name ?? '')} small />
            <span class="bubble dots" role="img" aria-label={t('log.typing', { name: s.typing.name || (s.case.handler?.name ?? t('somebody')) })}><i /><i /><i /></span>
          </div>
        )}
      </div>
      {behind && <button type="button" class="newer" onClick={toEnd}><Icon path={icons.chevronDown} size={16} />{t('log.newer')}</button>}
      <div class="sr" aria-live="polite">{s.spoken && <p key={s.spoken.seq}>{spoken(s.spoken, i.t)}</p>}</div>
    </div>
  );

  function spoken(e: EventEntry, say: typeof t): string {
    if (e.kind === 'message') return say('log.spoken', { name: e.from.name ?? say('somebody'), text: e.text });
    if (e.kind === 'care') return e.text ?? '';
    return entryWords(e, i) ?? '';
  }
}

function sameGroup(a: EventEntry | undefined, b: EventEntry | undefined): boolean {
  return a?.kind === 'message' && b?.kind === 'message' && a.from.role === b.from.role && a.from.id === b.from.id && Math.abs(a.at - b.at) < GROUP_MS;
}

function Row({ entry: e, before, after }: { entry: EventEntry; before: EventEntry | undefined; after: EventEntry | undefined }) {
  const { s, i } = useUi();
  const newDay = !before || !i.sameDay(before.at, e.at);
  const content = rowOf(e, before, after);
  return (
    <>
      {newDay && <div class="day"><span>{i.day(e.at, s.now)}</span></div>}
      {content}
    </>
  );
}

function rowOf(e: EventEntry, before: EventEntry | undefined, after: EventEntry | undefined) {
  switch (e.kind) {
    case 'message':
      return <Message entry={e} first={!sameGroup(before, e)} last={!sameGroup(e, after)} />;
    case 'care':
      return <Care entry={e} last={!after} />;
    case 'promised':
      return after?.kind === 'parked' && after.promise === e.text ? null : <Card entry={e} />; // the parking says it
    case 'resolution_proposed':
    case 'referred':
    case 'parked':
      return <Card entry={e} />;
    case 'reopened':
    case 'assigned':
      // "Not solved" has just said that we stay with it.
      return before?.kind === 'refused' || before?.kind === 'reopened' ? null : <System entry={e} />;
    default:
      return <System entry={e} />;
  }
}

function Message({ entry: e, first, last }: { entry: Extract<EventEntry, { kind: 'message' }>; first: boolean; last: boolean }) {
  const { s, i, t } = useUi();
  const own = e.from.role === 'shopper';
  const name = own ? t('you') : (e.from.name ?? t('somebody'));
  const level = e.seq <= (s.log?.read ?? 0) ? 'read' : e.seq <= (s.log?.delivered ?? 0) ? 'delivered' : 'sent';
  const isLastOwn = own && last && !s.log?.entries.some((x) => x.seq > e.seq && x.kind === 'message' && x.from.role === 'shopper');
  return (
    <div class={`row ${own ? 'own' : 'theirs'}${first ? ' first' : ''}`}>
      {!own && (first ? <Avatar name={name} small /> : <span class="avatar-gap" />)}
      <div class="said">
        {first && !own && <span class="by"><span dir="auto">{name}</span> · <time title={i.full(e.at)}>{i.time(e.at)}</time></span>}
        {(own || !first) && <span class="sr">{name}: </span>}
        <div class="bubble" dir="auto" title={i.full(e.at)}><Linked text={e.text} /></div>
        {isLastOwn && (
          <span class="by">{i.time(e.at)} · <Icon path={level === 'sent' ? icons.check : icons.checks} size={14} /> {t(`msg.${level}`)}</span>
        )}
      </div>
    </div>
  );
}

function Sending({ item }: { item: OutItem }) {
  const { s, t } = useUi();
  const text = 'text' in item.message ? item.message.text : '';
  const failed = item.state === 'failed';
  return (
    <div class="row own first">
      <div class="said">
        <span class="sr">{t('you')}: </span>
        <div class={failed ? 'bubble failed' : 'bubble pending'} dir="auto"><Linked text={text ?? ''} /></div>
        {failed ? (
          <div class="failure" role="alert">
            <Icon path={icons.alert} size={14} />
            <span>{t('msg.failed')}: {t(`error.${item.error?.code ?? 'internal'}`, { name: item.error?.handler ?? t('somebody') })}</span>
            <button type="button" class="link" onClick={() => s.outbox.retry(item.id)}>{t('retry')}</button>
            <button type="button" class="link" onClick={() => void navigator.clipboard?.writeText(text ?? '')}>{t('copy')}</button>
          </div>
        ) : <span class="by">{t('msg.pending')}…</span>}
      </div>
    </div>
  );
}

function System({ entry: e }: { entry: EventEntry }) {
  const { i } = useUi();
  const words = entryWords(e, i);
  return words ? <p class="system" title={i.full(e.at)}>{words}</p> : null;
}

const cardIcon = { resolution_proposed: icons.check, referred: icons.handover, parked: icons.clock, promised: icons.clock } as const;

function Card({ entry: e }: { entry: Extract<EventEntry, { kind: 'resolution_proposed' | 'referred' | 'parked' | 'promised' }> }) {
  const { s, i, t } = useUi();
  const text = e.kind === 'resolution_proposed' ? e.summary : e.kind === 'parked' ? e.promise : e.kind === 'promised' ? e.text : null;
  return (
    <div class="card">
      <p class="card-head"><Icon path={cardIcon[e.kind]} size={16} />{t(`card.${e.kind}`)}</p>
      {text && <p dir="auto">{text}</p>}
      {e.kind === 'referred' && (
        <dl class="facts">
          <dt>{t('card.who')}</dt><dd dir="auto">{e.who}</dd>
          <dt>{t('card.how')}</dt><dd dir="auto"><Linked text={e.how ?? ''} /></dd>
          {e.by && <><dt>{t('card.by')}</dt><dd dir="auto">{e.by}</dd></>}
        </dl>
      )}
      {'until' in e && e.until && <p class="soft"><time title={i.full(e.until)}>{t('card.until', { when: when(e.until, s.now, i) })}</time></p>}
    </div>
  );
}

/** A kind word of the house. While one waits, the glass of water: with articles, and the choice to wait, leave a message or be called. */
function Care({ entry: e, last }: { entry: Extract<EventEntry, { kind: 'care' }>; last: boolean }) {
  const { s, i, t, setForm } = useUi();
  const [waits, setWaits] = useState(false);
  const live = last && s.case.state !== 'active' && !s.isOver && s.sending.length === 0;
  const can: Record<string, () => void> = { wait: () => setWaits(true), message: () => setForm('message'), callback: () => setForm('callback') };
  const choices = (e.choices ?? []).filter((c) => can[c]);
  return (
    <div class="card care">
      {(e.step === 'water' || e.step === 'explain') && <p class="card-head"><Icon path={icons.heart} size={16} />{t('care.head')}</p>}
      <p dir="auto">{e.text}</p>
      {e.due_at !== undefined && <p class="soft"><time title={i.full(e.due_at)}>{t('care.call_at', { when: when(e.due_at, s.now, i) })}</time></p>}
      {(e.articles ?? []).map((a) => <ArticleRow key={a.id} article={a} />)}
      {live && choices.length > 0 && (waits ? <p class="soft" role="status">{t('care.waits')}</p> : (
        <div class="pair">
          {choices.map((c) => <Button small key={c} onClick={can[c] as () => void}>{t(`care.${c}`)}</Button>)}
        </div>
      ))}
    </div>
  );
}
