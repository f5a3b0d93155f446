// A promise with a date: parking the chat on it, or only recording it.
import { useState } from 'preact/hooks';
import type { Desk } from '../../../state/console/desk.js';
import type { ChatView } from '../../../state/console/view.js';
import { i18n, t } from '../../../state/console/words.js';
import { TextArea, TextField } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { useText } from './useText.js';

const HOUR = 3_600_000;

/** For <input type="datetime-local">: the viewer's own time. */
function localValue(ms: number): string {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return d.toISOString().slice(0, 16);
}

function at(hours: number, days: number): number {
  const d = new Date();
  d.setDate(d.getDate() + days);
  d.setHours(hours, 0, 0, 0);
  return d.getTime();
}

const isPast = (desk: Desk, until: number) => until <= desk.now.peek();

export function Until({ value, onPick }: { value: number; onPick: (ms: number) => void }) {
  const desk = useDesk();
  const now = desk.now.peek();
  const choices = [
    { text: t('until.hour'), ms: now + HOUR },
    { text: t('until.three_hours'), ms: now + 3 * HOUR },
    { text: t('until.today', { time: i18n.value.time(at(17, 0)) }), ms: at(17, 0) },
    { text: t('until.tomorrow', { time: i18n.value.time(at(10, 1)) }), ms: at(10, 1) },
  ].filter((c) => c.ms > now + 5 * 60_000);
  return (
    <div class="until">
      <TextField label={t('until.label')} type="datetime-local" value={localValue(value)} min={localValue(now)} error={isPast(desk, value) ? t('until.past') : undefined} onInput={(e) => {
        const ms = new Date(e.currentTarget.value).getTime();
        if (Number.isFinite(ms)) onPick(ms);
      }} />
      <div class="until-choices">
        {choices.map((c) => <button type="button" class="chip" key={c.text} aria-pressed={Math.abs(c.ms - value) < 60_000} onClick={() => onPick(c.ms)}>{c.text}</button>)}
      </div>
    </div>
  );
}

export function ParkDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [promise, setPromise] = useText('promise');
  const [until, setUntil] = useState(desk.now.peek() + HOUR);
  return (
    <ActDialog title={t('park.title')} submit={t('park.submit')}
      command={promise.trim() === '' || isPast(desk, until) ? null : { t: 'chat.park', chat: view.chat, promise: promise.trim(), until }}
      onDone={() => {
        desk.toasts.say(t('park.done'), { text: t('undo'), run: () => void desk.attempt({ t: 'chat.unpark', chat: view.chat }) });
        desk.moveOn(view.chat);
      }}>
      <p class="dialog-says">{t('park.says')}</p>
      <TextArea label={t('park.promise')} value={promise} maxLength={1000} dir="auto" autoFocus placeholder={t('park.hint')} onInput={(e) => setPromise(e.currentTarget.value)} />
      <Until value={until} onPick={setUntil} />
    </ActDialog>
  );
}

export function PromiseDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [text, setText] = useText('text');
  const [until, setUntil] = useState(desk.now.peek() + HOUR);
  return (
    <ActDialog title={t('promise.title')} submit={t('promise.submit')}
      command={text.trim() === '' || isPast(desk, until) ? null : { t: 'promise.add', chat: view.chat, text: text.trim(), until }}
      onDone={() => desk.announce(t('promise.done'))}>
      <TextArea label={t('promise.text')} value={text} maxLength={1000} dir="auto" autoFocus placeholder={t('park.hint')} onInput={(e) => setText(e.currentTarget.value)} />
      <Until value={until} onPick={setUntil} />
    </ActDialog>
  );
}
