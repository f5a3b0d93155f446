// The console: login, or the desk.
import { signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { actions } from '../../actions/desk.js';
import { followKeys } from '../../actions/keys.js';
import { ApiError, session } from '../../state/console/api.js';
import type { Session } from '../../state/console/api.js';
import { Desk } from '../../state/console/desk.js';
import { followCount } from '../../state/console/notify.js';
import { choose, settings } from '../../state/console/settings.js';
import { t } from '../../state/console/words.js';
import { Avatar, Button, Icon, Menu, Spinner, Toasts, icons } from '../kit/index.js';
import { Board } from './Board.js';
import { Brand } from './Brand.js';
import { CardPane } from './CardPane.js';
import { Conversation } from './Conversation.js';
import { DeskContext } from './desk.js';
import { Dialogs } from './Dialogs.js';
import { drawer } from './layout.js';
import type { Knowledge } from './knowledge/Knowledge.js';
import { ListPane } from './ListPane.js';
import { Login } from './Login.js';
import { Tasks } from './Tasks.js';
import { Bars, Top } from './Top.js';

type Stage = { at: 'loading' } | { at: 'login'; setup: string | null; ended: boolean } | { at: 'unreachable' } | { at: 'no_role'; name: string } | { at: 'editor'; name: string } | { at: 'desk'; desk: Desk };

const staffed = (s: Session) => s.roles.some((r) => r === 'rep' || r === 'lead' || r === 'director');

export function App({ makeDesk }: { makeDesk: (s: Session, onSignedOut: () => void) => Desk }) {
  const stage = useSignal<Stage>({ at: 'loading' });
  const enter = (s: Session) => {
    if (!staffed(s) && s.roles.includes('editor')) {
      stage.value = { at: 'editor', name: s.person.name };
      return;
    }
    if (!staffed(s)) {
      stage.value = { at: 'no_role', name: s.person.name };
      return;
    }
    const desk: Desk = makeDesk(s, () => {
      desk.stop();
      stage.value = { at: 'login', setup: null, ended: true };
    });
    desk.start();
    stage.value = { at: 'desk', desk };
  };
  const look = () => {
    stage.value = { at: 'loading' };
    session.get().then(enter, (error: unknown) => {
      if (error instanceof ApiError && error.status === 401) stage.value = { at: 'login', setup: error.setup, ended: false };
      else stage.value = { at: 'unreachable' };
    });
  };
  useEffect(look, []);
  useEffect(() => followKeys(document, () => (stage.value.at === 'desk' ? stage.value.desk : null), actions), []);
  useEffect(() => followCount(() => (stage.value.at === 'desk' ? stage.value.desk.waitingCount.value : 0), () => t('title')), []);
  const s = stage.value;
  switch (s.at) {
    case 'loading': return <div class="boot"><Spinner label={t('loading')} /></div>;
    case 'login': return <Login sub={t('console')} setup={s.setup} {...(s.ended ? { notice: t('login.ended') } : {})} open={session.open} onOpen={enter} />;
    case 'unreachable': return <Message icon={icons.wifiOff} title={t('unreachable')} says={t('unreachable_says')} act={t('retry')} onAct={look} />;
    case 'no_role': return <Message icon={icons.lock} title={t('no_role', { name: s.name })} says={t('no_role_says')} act={t('sign_out')} onAct={() => void session.close().then(look, look)} />;
    case 'editor': return <EditorScreen name={s.name} onOut={() => void session.close().then(look, look)} />;
    default: return <DeskContext.Provider value={s.desk}><DeskScreen desk={s.desk} /></DeskContext.Provider>;
  }
}

/** Comes with its own chunk: most who work here never open it. */
const knowledge = signal<typeof Knowledge | null>(null);

function KnowledgePart(props: Parameters<typeof Knowledge>[0]) {
  const failed = useSignal(false);
  const load = () => {
    failed.value = false;
    import('./knowledge/Knowledge.js').then((m) => (knowledge.value = m.Knowledge), () => (failed.value = true));
  };
  useEffect(load, []);
  const Part = knowledge.value;
  if (!Part && failed.value) return <Message icon={icons.wifiOff} title={t('unreachable')} says={t('unreachable_says')} act={t('retry')} onAct={load} />;
  return Part ? <Part {...props} /> : <main class="kb" id="conversation" tabIndex={-1}><Spinner label={t('loading')} /></main>;
}

/** For who keeps the knowledge base and takes no chats. */
function EditorScreen({ name, onOut }: { name: string; onOut: () => void }) {
  return (
    <div class="kb-alone">
      <header class="top">
        <Brand />
        <div class="top-end">
          <span class="top-me"><Avatar name={name} small /><span dir="auto">{name}</span></span>
          <Menu icon={icons.chevronDown} small label={t('menu', { name })} items={[
            { text: t('theme.system'), icon: icons.settings, checked: settings.value.theme === 'system', run: () => choose({ theme: 'system' }) },
            { text: t('theme.light'), icon: icons.sun, checked: settings.value.theme === 'light', run: () => choose({ theme: 'light' }) },
            { text: t('theme.dark'), icon: icons.moon, checked: settings.value.theme === 'dark', run: () => choose({ theme: 'dark' }) },
            { text: t('sign_out'), icon: icons.leave, run: onOut },
          ]} />
        </div>
      </header>
      <KnowledgePart />
    </div>
  );
}

function Message({ icon, title, says, act, onAct }: { icon: string; title: string; says: string; act: string; onAct: () => void }) {
  return (
    <main class="conversation nothing whole" id="conversation" tabIndex={-1}>
      <div class="nothing-box">
        <span class="nothing-icon"><Icon path={icon} size={30} /></span>
        <h1>{title}</h1><p>{says}</p>
        <div class="nothing-acts"><Button kind="primary" onClick={onAct}>{act}</Button></div>
      </div>
    </main>
  );
}

function DeskScreen({ desk }: { desk: Desk }) {
  const { cardFolded, listFolded } = settings.value;
  const board = desk.screen.value !== 'chats';
  const open = desk.current !== null;
  useSignalEffect(() => {
    desk.open.value;
    drawer.value = false;
  });
  return (
    <div class="desk" data-list={listFolded ? 'folded' : 'open'} data-card={cardFolded || board || !open ? 'folded' : 'open'} data-drawer={drawer.value ? 'open' : 'closed'} data-talk={open || board ? 'open' : 'none'}>
      <a class="skip" href="#conversation">{t('skip')}</a>
      <Top />
      <Bars />
      <ListPane />
      {desk.screen.value === 'board' ? <Board /> : desk.screen.value === 'tasks' ? <Tasks /> : desk.screen.value === 'knowledge' ? <KnowledgePart onOpenChat={(chat) => desk.show(chat)} /> : <Conversation />}
      {!board && <CardPane />}
      {drawer.value && <div class="drawer-shade" onClick={() => (drawer.value = false)} />}
      <Dialogs />
      <Toasts items={desk.toasts.items.value} closeLabel={t('close')} onClose={(id) => desk.toasts.close(id)} />
      <div class="sr" aria-live="polite"><p key={desk.announced.value.n}>{desk.announced.value.text}</p></div>
    </div>
  );
}
