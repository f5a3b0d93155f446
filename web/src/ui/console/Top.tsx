// The bar at the top: shift, connection, command bar, looks.
import { capacity, goBoard, goChats, goKnowledge, goTasks, help, openSettings, palette, shiftEnd, shiftPause, shiftStart, sound } from '../../actions/desk.js';
import { firstKey } from '../../actions/keys.js';
import type { HealthState } from '../../model/types.js';
import { session } from '../../state/console/api.js';
import { soundState } from '../../state/console/notify.js';
import { choose, settings } from '../../state/console/settings.js';
import { isOverdue } from '../../state/console/tasks.js';
import { i18n, t } from '../../state/console/words.js';
import { Avatar, Button, Icon, IconButton, Menu, icons } from '../kit/index.js';
import { Brand } from './Brand.js';
import { Act, useDesk } from './desk.js';
import { signOut } from './signOut.js';

export function Top() {
  const desk = useDesk();
  const screen = desk.screen.value;
  return (
    <header class="top">
      <Brand />
      <Shift />
      <Connection />
      <div class="screens" role="group" aria-label={t('screens.label')}>
        <button type="button" aria-pressed={screen === 'chats'} onClick={() => goChats.run(desk)}><Icon path={icons.chat} size={15} />{t('screens.chats')}</button>
        <button type="button" aria-pressed={screen === 'tasks'} onClick={() => goTasks.run(desk)}><Icon path={icons.mail} size={15} />{t('screens.tasks')}<TaskCount /></button>
        {desk.isLead && (
          <button type="button" aria-pressed={screen === 'board'} onClick={() => goBoard.run(desk)}>
            <Icon path={icons.chart} size={15} />{t('screens.board')}
            {desk.alerts.value.length > 0 && <span class="dot-n">{i18n.value.number(desk.alerts.value.length)}<span class="sr"> {t('alerts.n', { n: desk.alerts.value.length })}</span></span>}
          </button>
        )}
        {desk.isEditor && <button type="button" aria-pressed={screen === 'knowledge'} onClick={() => goKnowledge.run(desk)}><Icon path={icons.book} size={15} />{t('screens.knowledge')}</button>}
      </div>
      <button type="button" class="top-search" onClick={() => palette.run(desk)} aria-keyshortcuts="Control+K">
        <Icon path={icons.search} size={15} /><span>{t('top.search')}</span><kbd>{firstKey(palette)}</kbd>
      </button>
      <div class="top-end">
        <SoundButton />
        <IconButton icon={icons.keyboard} label={t(help.label)} hint="?" onClick={() => help.run(desk)} />
        <IconButton icon={icons.settings} label={t(openSettings.label)} onClick={() => openSettings.run(desk)} />
        <span class="top-me"><Avatar name={desk.me.name} small dot={desk.shift.value.state} /><span dir="auto">{desk.me.name}</span></span>
        <Menu icon={icons.chevronDown} small label={t('menu', { name: desk.me.name })} items={[
          { text: t('theme.system'), icon: icons.settings, checked: settings.value.theme === 'system', run: () => choose({ theme: 'system' }) },
          { text: t('theme.light'), icon: icons.sun, checked: settings.value.theme === 'light', run: () => choose({ theme: 'light' }) },
          { text: t('theme.dark'), icon: icons.moon, checked: settings.value.theme === 'dark', run: () => choose({ theme: 'dark' }) },
          { text: t('sign_out'), icon: icons.leave, run: () => void signOut(desk, session.close) },
        ]} />
      </div>
    </header>
  );
}

/** How many tasks are open; red where one of them is overdue. */
function TaskCount() {
  const desk = useDesk();
  const list = desk.tasksInOrder.value;
  const first = list[0];
  if (!first) return null;
  const over = list.filter((x) => isOverdue(x, desk.now.peek())).length;
  return (
    <span class={over > 0 ? 'dot-n' : 'dot-n plain'}>
      <span aria-hidden="true">{i18n.value.number(list.length)}</span>
      <span class="sr">{t('tasks.n', { n: list.length })}{over > 0 && `, ${t('tasks.n_over', { n: over })}`}</span>
    </span>
  );
}

function Shift() {
  const desk = useDesk();
  const { state, capacity: room } = desk.shift.value;
  const load = desk.groups.value.mine.length;
  return (
    <div class={`shift ${state}`}>
      <button type="button" class="shift-state" onClick={() => capacity.run(desk)} disabled={!capacity.enabled(desk)} title={t(capacity.label)}>
        <i class="shift-dot" aria-hidden="true" />
        {state === 'on' ? (room > 0 ? t('shift.on', { load, room }) : t('shift.on_plain')) : state === 'paused' ? t('shift.paused') : t('shift.off')}
      </button>
      {state !== 'on' && <Act action={shiftStart} kind="primary" small />}
      {state === 'on' && <Act action={shiftPause} small bare />}
      {state !== 'off' && <Act action={shiftEnd} small bare />}
    </div>
  );
}

function Connection() {
  const desk = useDesk();
  const link = desk.link.value;
  if (link === 'ready') return <span class="conn ok"><i aria-hidden="true" /><span>{t('conn.ready')}</span></span>;
  return <span class="conn" role="status"><i aria-hidden="true" /><span>{desk.ready.value ? t('conn.waiting') : t('conn.opening')}</span></span>;
}

function SoundButton() {
  const desk = useDesk();
  const on = settings.value.sound;
  const label = !on ? t('sound.off') : soundState.value === 'refused' ? t('sound.refused') : soundState.value === 'waiting' ? t('sound.waiting') : t('sound.on');
  return <IconButton icon={on && soundState.value !== 'refused' ? icons.bell : icons.bellOff} label={label} aria-pressed={on} onClick={() => sound.run(desk)} />;
}

/** What is wrong with the service, in plain words; the server's own ones stand in the title. */
function HealthBar({ state }: { state: HealthState }) {
  const key = `health.${state.name}` as Parameters<typeof t>[0];
  return (
    <div class={`bar ${state.chats === 'stopped' ? 'bad' : 'warn'}`} role="status" title={state.why} data-state={state.name}>
      <Icon path={icons.alert} size={18} />
      <span>{t(key)} {state.chats !== 'open' && t(`health.${state.chats}`)}</span>
    </div>
  );
}

/** The server has paused the shift: why, and one click back. What one paused oneself needs no notice. */
function PausedBar() {
  const desk = useDesk();
  const { state, why } = desk.shift.value;
  if (state !== 'paused' || (why !== 'away' && why !== 'missed')) return null;
  return (
    <div class="bar warn" role="status">
      <Icon path={icons.pause} size={18} />
      <span>{why === 'away' ? t('shift.paused_away') : t('shift.paused_missed')}</span>
      <Button small onClick={() => shiftStart.run(desk)}>{t('shift.back')}</Button>
    </div>
  );
}

/** Notices that concern the whole desk: trouble with the connection, the proxy hint, a new version. */
export function Bars() {
  const desk = useDesk();
  return (
    <div class="bars">
      {desk.proxyBlocks.value ? (
        <div class="bar bad" role="alert">
          <Icon path={icons.wifiOff} size={18} />
          <div>
            <b>{t('proxy.title')}</b> {t('proxy.says')}
            <pre class="proxy-lines">{'nginx:  proxy_http_version 1.1;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection "upgrade";\nCaddy:  reverse_proxy 127.0.0.1:8080'}</pre>
          </div>
        </div>
      ) : desk.trouble.value && (
        <div class="bar warn" role="status"><Icon path={icons.wifiOff} size={18} /><span>{t('reconnecting')}</span><Button small onClick={() => desk.retryNow()}>{t('conn.now')}</Button></div>
      )}
      {!desk.trouble.value && <PausedBar />}
      {!desk.trouble.value && (desk.health.value.states ?? []).map((state) => <HealthBar key={state.name} state={state} />)}
    </div>
  );
}
