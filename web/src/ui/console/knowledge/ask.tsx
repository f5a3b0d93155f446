// Asking the server from a screen: what came, that it is being asked, that it failed, and asking again.
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../../state/console/api.js';
import { Button, Icon, Spinner, icons } from '../../kit/index.js';
import { t } from './words.js';

export interface Asked<T> { value: T | null; error: string | null; again: () => void }

/** The server's own words where it has some: they name what is wrong and where. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  return error.status === 0 ? t('kb.unreachable') : error.status === 409 ? t('kb.conflict') : error.message || t('kb.failed');
}

export function useAsk<T>(ask: () => Promise<T>, on: unknown[]): Asked<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    ask().then((v) => {
      if (gone) return;
      setValue(v);
      setError(null);
    }, (e: unknown) => !gone && setError(errorText(e)));
    return () => {
      gone = true;
    };
  }, [...on, round]);
  return { value, error, again: useCallback(() => setRound((n) => n + 1), []) };
}

export function Waiting<T>({ asked, children }: { asked: Asked<T>; children: (value: T) => ComponentChildren }) {
  if (asked.error !== null) {
    return <div class="kb-none" role="alert"><Icon path={icons.alert} size={20} /><p>{asked.error}</p><Button small icon={icons.refresh} onClick={asked.again}>{t('kb.again')}</Button></div>;
  }
  return asked.value === null ? <div class="kb-none"><Spinner label={t('kb.loading')} /></div> : <>{children(asked.value)}</>;
}
