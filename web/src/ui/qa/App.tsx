// QA: login, or search, transcript and scorecard side by side.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, session } from '../../state/console/api.js';
import type { Session } from '../../state/console/api.js';
import { choose, settings } from '../../state/console/settings.js';
import { t } from '../../state/console/words.js';
import { Qa } from '../../state/qa/qa.js';
import { Brand } from '../console/Brand.js';
import { Login } from '../console/Login.js';
import { Avatar, Button, Icon, Menu, Spinner, Toasts, icons } from '../kit/index.js';
import { KeysDialog } from './KeysDialog.js';
import { keysOpen } from './keys.js';
import { QaContext } from './qaContext.js';
import { Results } from './Results.js';
import { SearchLine } from './SearchLine.js';
import { Sheet } from './Sheet.js';
import { Transcript } from './Transcript.js';
import { followQaKeys } from './keys.js';

type Stage = { at: 'loading' } | { at: 'login'; setup: string | null; ended: boolean } | { at: 'unreachable' } | { at: 'no_role'; name: string } | { at: 'qa'; qa: Qa };

const mayRead = (s: Session) => s.roles.some((r) => r === 'qa' || r === 'director' || r === 'lead' || r === 'rep');

export function App({ makeQa }: { makeQa: (s: Session, onSignedOut: () => void) => Qa }) {
  const stage = useSignal<Stage>({ at: 'loading' });
  const enter = (s: Session) => {
    stage.value = mayRead(s) ? { at: 'qa', qa: makeQa(s, () => (stage.value = { at: 'login', setup: null, ended: true })) } : { at: 'no_role', name: s.person.name };
  };
  const look = () => {
    stage.value = { at: 'loading' };
    session.get().then(enter, (error: unknown) => {
      stage.value = error instanceof ApiError && error.status === 401 ? { at: 'login', setup: error.setup, ended: false } : { at: 'unreachable' };
    });
  };
  useEffect(look, []);
  const s = stage.value;
  switch (s.at) {
    case 'loading': return <div class="boot"><Spinner label={t('loading')} /></div>;
    case 'login': return <Login sub={t('qa.face')} setup={s.setup} {...(s.ended ? { notice: t('login.ended') } : {})} open={session.open} onOpen={enter} />;
    case 'unreachable': return <Message icon={icons.wifiOff} title={t('unreachable')} says={t('unreachable_says')} act={t('retry')} onAct={look} />;
    case 'no_role': return <Message icon={icons.lock} title={t('no_role', { name: s.name })} says={t('no_role_says')} act={t('sign_out')} onAct={() => void session.close().then(look, look)} />;
    default: return <QaContext.Provider value={s.qa}><QaScreen qa={s.qa} /></QaContext.Provider>;
  }
}

function Message({ icon, title, says, act, onAct }: { icon: string; title: string; says: string; act: string; onAct: () => void }) {
  return (
    <main class="nothing whole">
      <div class="nothing-box">
        <span class="nothing-icon"><Icon path={icon} size={30} /></span>
        <h1>{title}</h1><p>{says}</p>
        <div class="nothing-acts"><Button kind="primary" onClick={onAct}>{act}</Button></div>
      </div>
    </main>
  );
}

function QaScreen({ qa }: { qa: Qa }) {
  useEffect(() => qa.start(), [qa]);
  useEffect(() => followQaKeys(document, qa), [qa]);
  const title = t('qa.title');
  useEffect(() => void (document.title = title), [title]);
  const theme = settings.value.theme;
  const open = qa.chat.value !== '';
  return (
    <div class="qa" data-open={open ? 'yes' : 'no'}>
      <a class="skip" href="#transcript">{t('qa.skip')}</a>
      <header class="qa-top">
        <Brand sub={t('qa.face')} />
        <SearchLine />
        <div class="qa-me">
          <Avatar name={qa.session.person.name} small /><span dir="auto">{qa.session.person.name}</span>
          <Menu icon={icons.chevronDown} small label={t('menu', { name: qa.session.person.name })} items={[
            { text: t('theme.system'), icon: icons.settings, checked: theme === 'system', run: () => choose({ theme: 'system' }) },
            { text: t('theme.light'), icon: icons.sun, checked: theme === 'light', run: () => choose({ theme: 'light' }) },
            { text: t('theme.dark'), icon: icons.moon, checked: theme === 'dark', run: () => choose({ theme: 'dark' }) },
            { text: '中文', checked: settings.value.lang === 'zh-CN', run: () => choose({ lang: 'zh-CN' }) },
            { text: 'English', checked: settings.value.lang === 'en', run: () => choose({ lang: 'en' }) },
            { text: t('keys.title'), icon: icons.keyboard, keys: '?', run: () => (keysOpen.value = true) },
            { text: t('sign_out'), icon: icons.leave, run: () => void session.close().then(() => location.reload(), () => location.reload()) },
          ]} />
        </div>
      </header>
      <Results />
      <Transcript />
      {open && qa.transcript.value.at === 'here' && <Sheet />}
      {keysOpen.value && <KeysDialog onClose={() => (keysOpen.value = false)} />}
      <Toasts items={qa.toasts.items.value} closeLabel={t('close')} onClose={(id) => qa.toasts.close(id)} />
    </div>
  );
}
