// Signing in. Where no account exists yet the server says which command makes the first.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../state/console/api.js';
import type { Session } from '../../state/console/api.js';
import { t } from '../../state/console/words.js';
import { Button, Icon, TextField, icons } from '../kit/index.js';
import { Brand } from './Brand.js';

interface Props {
  sub: string;
  setup: string | null;
  /** Said above the form, e.g. that the session has ended. */
  notice?: string;
  open: (login: string, password: string) => Promise<Session>;
  onOpen: (session: Session) => void;
}

const RESTORE = 'firstline user restore';

export function Login({ sub, setup, notice, open, onOpen }: Props) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState('');
  const [command, setCommand] = useState(setup);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []); // autofocus counts only while a page loads
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setError('');
    try {
      onOpen(await open(login.trim(), password));
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setCommand(failure.setup ?? command);
      setError(failure.status === 401 ? t('login.wrong') : failure.status === 429 ? t('login.slow') : failure.status === 0 ? t('login.unreachable') : t('login.failed'));
      if (failure.status === 401) setPassword('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form class="login-box" ref={form} onSubmit={(e) => void submit(e)}>
        <Brand sub={sub} />
        <h1>{t('login.title')}</h1>
        {notice && <p class="login-notice" role="status"><Icon path={icons.info} size={16} />{notice}</p>}
        {command && (
          <div class="login-setup" role="note">
            <b>{t('login.setup')}</b>
            <p>{t('login.setup_says')}</p>
            <code>{command}</code>
            <p>{t('login.setup_lost')}</p>
            <code>{RESTORE}</code>
          </div>
        )}
        <TextField label={t('login.login')} value={login} autocomplete="username" autoCapitalize="none" spellcheck={false} required
          onInput={(e) => setLogin(e.currentTarget.value)} />
        <TextField label={t('login.password')} type="password" value={password} autocomplete="current-password" required
          onInput={(e) => setPassword(e.currentTarget.value)} />
        <div role="alert">{error && <p class="login-error"><Icon path={icons.alert} size={16} />{error}</p>}</div>
        <Button type="submit" kind="primary" wide disabled={busy || login.trim() === '' || password === ''}>{busy ? t('login.busy') : t('login.submit')}</Button>
      </form>
    </main>
  );
}
