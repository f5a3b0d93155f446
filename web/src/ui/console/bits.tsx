// Small parts that several panes show: ages, countdowns, classes.
import { useComputed } from '@preact/signals';
import { classText } from '../../state/console/labels.js';
import { ageOf } from '../../state/console/urgency.js';
import { i18n, shortWhen, t } from '../../state/console/words.js';
import { Badge, Icon, icons } from '../kit/index.js';
import type { Tone } from '../kit/index.js';
import { useDesk } from './desk.js';

const classTones: Record<string, Tone> = { urgent: 'bad', care: 'warn', returning: 'info', vip: 'brand' };

export function ClassBadge({ name }: { name: string }) {
  if (name === 'normal' || name === '') return null;
  const tone = classTones[name];
  return <Badge {...(tone ? { tone } : {})}>{classText(name)}</Badge>;
}

/** How long the shopper waits for an answer: in words and in colour. Only its own text changes with time. */
export function Age({ since }: { since: number }) {
  const desk = useDesk();
  const text = useComputed(() => i18n.value.span(desk.now.value - since));
  const age = useComputed(() => ageOf(since, desk.now.value, desk.silentMs));
  return (
    <span class={`age ${age.value}`}>
      <Icon path={age.value === 'over' ? icons.alert : icons.clock} size={13} />
      {age.value === 'over' ? t('age.over', { span: text.value }) : t('age.waits', { span: text.value })}
    </span>
  );
}

/** Seconds left until a deadline of the server. */
export function Countdown({ until }: { until: number }) {
  const desk = useDesk();
  const left = useComputed(() => Math.max(0, Math.ceil((until - desk.now.value) / 1000)));
  return <span class="countdown">{left.value > 0 ? t('countdown', { n: left.value }) : t('countdown.over')}</span>;
}

export function Due({ until, text }: { until: number; text?: string }) {
  const desk = useDesk();
  const state = useComputed(() => (until < desk.now.value ? 'over' : until < desk.now.value + 15 * 60_000 ? 'late' : 'fresh'));
  const time = shortWhen(until);
  return (
    <span class={`age ${state.value}`} title={i18n.value.full(until)}>
      <Icon path={icons.flag} size={13} />
      {state.value === 'over' ? t('due.over', { time }) : t('due.at', { time })}
      {text}
    </span>
  );
}
