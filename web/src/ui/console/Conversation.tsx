// The middle pane: who is served and by whom, the log, suggestions, the composer.
import { batch } from '@preact/signals';
import { answer, claim, consult, join, park, promise, reassign, refer, resolve, tag, takeBack, transfer, triage, unpark, verify, whisper } from '../../actions/chat.js';
import { claimNext, foldCard } from '../../actions/desk.js';
import { firstKey } from '../../actions/keys.js';
import type { Action } from '../../actions/action.js';
import { isHandler } from '../../state/console/compose.js';
import { stateText } from '../../state/console/labels.js';
import { isOver } from '../../state/console/row.js';
import type { Row } from '../../state/console/row.js';
import { settings } from '../../state/console/settings.js';
import type { ChatView } from '../../state/console/view.js';
import { shortWhen, t } from '../../state/console/words.js';
import { Avatar, Badge, Button, Icon, IconButton, Menu, icons } from '../kit/index.js';
import type { Tone } from '../kit/index.js';
import { Act, useDesk } from './desk.js';
import { Composer } from './Composer.js';
import { ClassBadge, Countdown } from './bits.js';
import { targetText } from './eventText.js';
import { Log } from './Log.js';
import { Suggestions } from './Suggestions.js';
import { toggleCard } from './layout.js';

export function Conversation() {
  const desk = useDesk();
  const view = desk.current;
  if (!view) return <Nothing />;
  return (
    <main class="conversation" id="conversation" tabIndex={-1}>
      <Head view={view} />
      <Strips view={view} />
      <Log view={view} key={view.chat} />
      <Typers view={view} />
      <Suggestions view={view} />
      <Composer view={view} />
    </main>
  );
}

export const stateTone: Partial<Record<Row['state'], Tone>> = { waiting: 'warn', offered: 'warn', assigned: 'info', active: 'good', proposed: 'info', parked: 'note' };

const more: Action[] = [answer, consult, refer, promise, verify, triage, tag, takeBack, join, whisper, reassign];

function Head({ view }: { view: ChatView }) {
  const desk = useDesk();
  const row = view.row.value;
  const name = row.shopper?.name ?? t('guest');
  const items = more.filter((a) => a.shown?.(desk) !== false).map((a) => ({
    text: t(a.label), run: () => a.run(desk), disabled: !a.enabled(desk), ...(a.icon ? { icon: a.icon } : {}), ...(firstKey(a) ? { keys: firstKey(a) ?? '' } : {}),
  }));
  return (
    <header class="talk-head">
      <IconButton class="talk-back" icon={icons.back} label={t('back_to_list')} onClick={() => (desk.open.value = null)} />
      <Avatar name={name} />
      <div class="talk-who">
        <h1 dir="auto">{name}</h1>
        <p class="talk-sub">
          <Badge {...(stateTone[row.state] ? { tone: stateTone[row.state] as Tone } : {})}>{stateText(row.state)}</Badge>
          <ClassBadge name={row.class} />
          <Responsible row={row} me={desk.me.id} />
        </p>
      </div>
      <div class="talk-acts">
        <Act action={claim} kind="primary" hide />
        <Act action={unpark} hide />
        <Act action={park} hide />
        <Act action={transfer} hide />
        <Act action={resolve} kind="primary" hide />
        {!claim.enabled(desk) && !resolve.enabled(desk) && <Act action={takeBack} kind="primary" hide />}
        <Menu icon={icons.dots} label={t('more')} items={items} />
        <IconButton class="talk-card" icon={icons.info} label={t(foldCard.label)} aria-pressed={!settings.value.cardFolded} onClick={toggleCard} />
      </div>
    </header>
  );
}

/** Owner and handler in one line; they differ after a handover. */
function Responsible({ row, me }: { row: Row; me: string }) {
  const desk = useDesk();
  const say = (who: NonNullable<Row['owner']>) => (who.id === me ? t('you') : desk.nameOf(who.id, who.name));
  if (row.owner && row.handler && row.owner.id !== row.handler.id) {
    return <span class="talk-resp">{t('head.owner_handler', { owner: say(row.owner), handler: say(row.handler) })}</span>;
  }
  if (row.owner) return <span class="talk-resp">{t('head.owner', { owner: say(row.owner) })}</span>;
  if (row.handler) return <span class="talk-resp">{t('head.handler', { handler: say(row.handler) })}</span>;
  return <span class="talk-resp">{t('head.nobody')}</span>;
}

/** What goes on and must be seen: a handover under way, an open question, a proposed resolution, a parked chat. */
function Strips({ view }: { view: ChatView }) {
  const desk = useDesk();
  const row = view.row.value;
  return (
    <div class="strips">
      {row.transfer && (
        <div class="strip info">
          <Icon path={icons.handover} size={16} />
          <span>{isHandler(row, desk.me.id) ? t('strip.transfer', { to: targetText(row.transfer.to) }) : t('strip.transfer_other', { to: targetText(row.transfer.to), handler: desk.nameOf(row.handler?.id, row.handler?.name) })} <Countdown until={row.transfer.until} /></span>
        </div>
      )}
      {row.consult && !isOver(row) && (
        <div class="strip note">
          <Icon path={icons.users} size={16} />
          <span>{t('strip.consult', { by: desk.nameOf(row.consult.by?.id, row.consult.by?.name), to: targetText(row.consult.to) })} <q dir="auto">{row.consult.question}</q></span>
          <Act action={answer} small hide />
        </div>
      )}
      {row.state === 'proposed' && (
        <div class="strip info"><Icon path={icons.check} size={16} /><span>{t('strip.proposed')}{row.proposal && <> <q dir="auto">{row.proposal}</q></>}</span></div>
      )}
      {row.state === 'parked' && (
        <div class="strip note">
          <Icon path={icons.park} size={16} />
          <span>{t('strip.parked', { until: row.parkedUntil === null ? '' : shortWhen(row.parkedUntil) })}</span>
        </div>
      )}
      {isOver(row) && <div class="strip"><Icon path={icons.lock} size={16} /><span>{row.state === 'abandoned' ? t('strip.abandoned') : t('strip.closed')}{row.rating !== null && <> · {t('strip.rated', { n: row.rating })}</>}</span></div>}
    </div>
  );
}

function Typers({ view }: { view: ChatView }) {
  const desk = useDesk();
  const signs = view.typing.value;
  if (signs.length === 0) return <div class="typers" />;
  const shopper = signs.find((s) => s.from.role === 'shopper');
  const staff = signs.filter((s) => s.from.role !== 'shopper');
  return (
    <div class="typers" aria-hidden="true">
      {shopper && <span><i class="dots" />{t('typing.shopper', { name: shopper.from.name ?? view.row.value.shopper?.name ?? t('guest') })}{shopper.preview && <q dir="auto">{shopper.preview}</q>}</span>}
      {staff.map((s) => <span key={s.from.id} class="typers-staff"><i class="dots" />{s.mode === 'note' ? t('typing.note', { name: desk.nameOf(s.from.id, s.from.name) }) : t('typing.reply', { name: desk.nameOf(s.from.id, s.from.name) })}</span>)}
    </div>
  );
}

function Nothing() {
  const desk = useDesk();
  const waiting = desk.queues.value.reduce((n, q) => n + q.waiting, 0);
  const off = desk.shift.value.state !== 'on';
  const first = desk.groups.value.mine[0] ?? desk.groups.value.asked[0];
  return (
    <main class="conversation nothing" id="conversation" tabIndex={-1}>
      <div class="nothing-box">
        <span class="nothing-icon"><Icon path={off ? icons.clock : icons.chat} size={30} /></span>
        <h1>{off ? t('empty.off') : first ? t('empty.pick') : t('empty.none')}</h1>
        <p>{off ? t('empty.off_says') : first ? t('empty.pick_says') : waiting > 0 ? t('empty.waiting', { n: waiting }) : t('empty.none_says')}</p>
        <div class="nothing-acts">
          {off && <Button kind="primary" icon={icons.play} disabled={!desk.ready.value} onClick={() => void desk.changeShift('start')}>{t('act.shift_start')}</Button>}
          {!off && first && <Button kind="primary" onClick={() => batch(() => desk.show(first.chat))}>{t('empty.open_next')}</Button>}
          {!off && !first && <Act action={claimNext} hide />}
        </div>
      </div>
    </main>
  );
}

