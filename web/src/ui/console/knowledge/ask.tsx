// What the server is asked for by the screens of the knowledge base: shown once it is there, its failure in words.
import type { ComponentChildren } from 'preact';
import { ApiError } from '../../../state/console/api.js';
import { Button, Icon, Spinner, icons } from '../../kit/index.js';
import type { Asked } from '../useAsk.js';
import { t } from './words.js';

export { useAsk } from '../useAsk.js';

/** The server's own words where it has some: they name what is wrong and where. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  return error.status === 0 ? t('kb.unreachable') : error.status === 409 ? t('kb.conflict') : error.message || t('kb.failed');
}

export function Waiting<T>({ asked, children }: { asked: Asked<T>; children: (value: T) => ComponentChildren }) {
  if (asked.error !== null) {
    return <div class="kb-none" role="alert"><Icon path={icons.alert} size={20} /><p>{errorText(asked.error)}</p><Button small icon={icons.refresh} onClick={asked.again}>{t('kb.again')}</Button></div>;
  }
  return asked.value === null ? <div class="kb-none"><Spinner label={t('kb.loading')} /></div> : <>{children(asked.value)}</>;
}
