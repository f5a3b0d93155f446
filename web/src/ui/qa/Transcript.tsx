// What was said, with the events beside it. ↑ ↓ jump from message to message; a comment is pinned to the selected one.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EventEntry } from '../../model/types.js';
import { departmentText, stateText } from '../../state/console/labels.js';
import { i18n, t } from '../../state/console/words.js';
import { markWords } from '../../state/qa/query.js';
import type { Format, Transcript as Whole } from '../../state/qa/qa.js';
import { Candidates } from '../console/Candidates.js';
import { careName, eventLine, fromName } from '../console/eventText.js';
import { TextBody } from '../console/TextBody.js';
import { Avatar, Badge, Button, Icon, IconButton, Menu, Spinner, icons } from '../kit/index.js';
import { useQa } from './qaContext.js';
import { Rating } from './Results.js';

const CHUNK = 60;

export function Transcript() {
  const qa = useQa();
  const here = qa.transcript.value;
  if (here.at === 'none') {
    return (
      <main class="qa-transcript nothing" id="transcript" tabIndex={-1}>
        <div class="nothing-box">
          <span class="nothing-icon"><Icon path={icons.book} size={30} /></span>
          <h1>{t('transcript.pick')}</h1><p>{t('transcript.pick_says')}</p><p class="soft audit"><Icon path={icons.shield} size={14} />{t('audit.says')}</p>
        </div>
      </main>
    );
  }
  return (
    <main class="qa-transcript" id="transcript" tabIndex={-1}>
      {here.at === 'loading' && <div class="qa-note"><Spinner label={t('transcript.loading')} /></div>}
      {here.at === 'failed' && <div class="qa-note"><Icon path={icons.alert} size={22} /><p>{here.why}</p><Button small icon={icons.refresh} onClick={() => qa.reopen()}>{t('retry')}</Button><Button small kind="quiet" onClick={() => qa.close()}>{t('back_to_results')}</Button></div>}
      {here.at === 'here' && <Read whole={here.value} key={here.value.chat} />}
    </main>
  );
}

function formatText(format: Format): string {
  return format === 'ndjson' ? t('format.ndjson') : format === 'csv' ? t('format.csv') : t('format.text');
}

function Read({ whole }: { whole: Whole }) {
  const qa = useQa();
  const rated = whole.events.find((e): e is Extract<EventEntry, { kind: 'rated' }> => e.kind === 'rated');
  const first = whole.events[0];
  const name = whole.shopper?.name ?? first?.from.name ?? t('guest');
  return (
    <>
      <header class="qa-head">
        <IconButton class="qa-back" icon={icons.back} label={t('back_to_results')} onClick={() => qa.close()} />
        <Avatar name={name} />
        <div class="qa-who">
          <h1 dir="auto">{name}</h1>
          <p>
            <Badge>{stateText(whole.state)}</Badge>
            {rated?.score !== undefined && <Rating n={rated.score} />}
            <span class="soft">{[departmentText(whole.department), t('transcript.owner', { name: qa.nameOf(whole.owner) }), first ? `${i18n.value.day(first.at, Date.now())} ${i18n.value.time(first.at)}` : ''].filter(Boolean).join(' · ')}</span>
          </p>
        </div>
        <div class="qa-acts">
          <Button small icon={icons.clock} aria-pressed={qa.showEvents.value} title="E" onClick={() => (qa.showEvents.value = !qa.showEvents.value)}>{qa.showEvents.value ? t('events.hide') : t('events.show')}</Button>
          <Menu icon={icons.download} label={t('download')} items={(['ndjson', 'csv', 'text'] as const).map((f) => ({ text: formatText(f), run: () => void qa.download(f) }))} />
        </div>
      </header>
      {!whole.complete && <p class="qa-gap" role="note"><Icon path={icons.alert} size={16} />{t('transcript.gap')}</p>}
      <Entries whole={whole} />
      <p class="qa-audit"><Icon path={icons.shield} size={14} />{t('audit.recorded')} · {t('transcript.zone', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
    </>
  );
}

function isWords(e: EventEntry): boolean {
  return e.kind === 'message' || e.kind === 'note' || e.kind === 'whisper' || e.kind === 'care';
}

function Entries({ whole }: { whole: Whole }) {
  const qa = useQa();
  const [shown, setShown] = useState(CHUNK * 3);
  const end = useRef<HTMLDivElement>(null);
  const selected = qa.selected.value;
  const events = qa.showEvents.value;
  const list = events ? whole.events : whole.events.filter(isWords);

  useEffect(() => {
    const el = end.current;
    if (!el) return undefined;
    const seen = new IntersectionObserver((hits) => hits.some((h) => h.isIntersecting) && setShown((n) => n + CHUNK * 3), { root: el.parentElement, rootMargin: '1200px' });
    seen.observe(el);
    return () => seen.disconnect();
  }, [shown < list.length]);
  useEffect(() => {
    if (selected === null) return;
    const at = list.findIndex((e) => e.seq === selected);
    if (at >= shown) setShown(at + CHUNK);
    requestAnimationFrame(() => document.querySelector(`#e-${selected}`)?.scrollIntoView({ block: 'nearest' }));
  }, [selected, shown > 0]);

  const pins = new Map<number, string[]>();
  for (const c of qa.card.value?.criteria ?? []) {
    const seq = qa.sheet.value.marks[c.id]?.seq;
    if (seq !== undefined) pins.set(seq, [...(pins.get(seq) ?? []), c.title[i18n.value.lang] ?? c.title['en'] ?? c.id]);
  }
  let before: EventEntry | null = null;
  const rows = list.slice(0, shown).map((e) => {
    const newDay = before === null || !i18n.value.sameDay(before.at, e.at);
    before = e;
    return (
      <div key={e.seq} class="qa-row">
        {newDay && <div class="day" role="separator"><span>{i18n.value.day(e.at, Date.now())}</span></div>}
        {isWords(e) ? <Said e={e} selected={selected === e.seq} pins={pins.get(e.seq) ?? []} /> : <Happened e={e} />}
      </div>
    );
  });
  return (
    <div class={events ? 'qa-log with-events' : 'qa-log'} tabIndex={0} role="log" aria-live="off" aria-label={t('transcript.label')}>
      {rows}
      {shown < list.length && <div class="qa-end" ref={end}><Spinner label={t('loading')} /></div>}
    </div>
  );
}

function Said({ e, selected, pins }: { e: EventEntry; selected: boolean; pins: string[] }) {
  const qa = useQa();
  const text = 'text' in e ? (e.text ?? '') : '';
  const side = e.kind === 'note' ? 'memo' : e.kind === 'whisper' ? 'memo whisper' : e.from.role === 'shopper' ? 'them' : 'us';
  const label = e.kind === 'note' ? t('note.by', { name: fromName(e.from) }) : e.kind === 'whisper' ? t('note.whisper_by', { name: fromName(e.from) }) : e.kind === 'care' ? careName(e.step) : fromName(e.from);
  return (
    <article id={`e-${e.seq}`} class={`said ${side}${selected ? ' selected' : ''}`} aria-current={selected ? 'true' : undefined} onClick={() => (qa.selected.value = e.seq)}>
      <header>
        <b dir="auto">{label}</b>
        {e.from.role !== 'shopper' && e.kind === 'message' && e.article && <span class="soft" title={e.article}><Icon path={icons.book} size={13} />{t('msg.from_article')}</span>}
        <time class="when" dateTime={new Date(e.at).toISOString()} title={i18n.value.full(e.at)}>{i18n.value.time(e.at)}</time>
        <span class="said-n">#{e.seq}</span>
        {qa.mayJudge && <IconButton small class="said-pin" icon={icons.pin} label={t('pin.here', { n: e.seq })} onClick={(ev) => {
          ev.stopPropagation();
          qa.selected.value = e.seq;
          const c = qa.card.peek()?.criteria[qa.criterion.peek()];
          if (c) {
            qa.mark(c.id, { seq: e.seq });
            qa.commenting.value = c.id;
          }
        }} />}
      </header>
      <TextBody text={text} mark={markWords(qa.query.value.q, text)} />
      {pins.length > 0 && <p class="said-pins"><Icon path={icons.pin} size={13} />{pins.join(', ')}</p>}
    </article>
  );
}

function Happened({ e }: { e: EventEntry }) {
  const { icon, text, detail } = eventLine(e);
  return (
    <div class="happened" id={`e-${e.seq}`}>
      <Icon path={icon} size={14} />
      <span class="happened-text" dir="auto">
        {text}{detail && <span class="calm-detail"> · {detail}</span>}
        <Candidates entry={e} />
      </span>
      <time class="when" dateTime={new Date(e.at).toISOString()} title={i18n.value.full(e.at)}>{i18n.value.time(e.at)}</time>
      <span class="said-n">#{e.seq}</span>
    </div>
  );
}
