// What the conversation's state asks for: waiting, and whether it is solved.
import { useState } from 'preact/hooks';
import { Refusal } from '../../model/types.js';
import { Button } from '../kit/Button.js';
import * as icons from '../kit/icons.js';
import { useUi } from './ui.js';

/** Waiting: place, expected time, and that one need not wait. */
export function Waiting() {
  const { s, i, t, setForm, close } = useUi();
  const q = s.queue;
  const entries = s.log?.entries ?? [];
  const cared = entries[entries.length - 1]?.kind === 'care'; // which offers the same choices
  const eta = q?.eta_s;
  const leave = () => void s.act({ t: 'chat.leave', ...(s.chatId ? { chat: s.chatId } : {}) }).then(() => { s.leaveChat(); close(); }, () => undefined);
  return (
    <div class="card waiting" role="status">
      <div class="place">
        {q?.position !== undefined && <span class="place-n" aria-hidden="true">{i.number(q.position)}</span>}
        <div>
          <p class="card-head">{q?.position === undefined ? t('wait.soon') : t('wait.place', { n: q.position })}</p>
          <p class="soft">{eta === undefined || eta === null ? t('wait.no_eta') : eta < 60 ? t('wait.now') : t('wait.eta', { span: i.span(eta * 1000) })}</p>
        </div>
      </div>
      <p class="soft">{t('wait.keep')}</p>
      <div class="pair">
        {!cared && <Button small onClick={() => setForm('message')}>{t('wait.leave')}</Button>}
        {!cared && <Button small onClick={() => setForm('callback')}>{t('wait.call')}</Button>}
        {s.chatId && !s.case.owner && <Button small kind="quiet" onClick={leave}>{t('wait.quit')}</Button>}
      </div>
    </div>
  );
}

/** "Not solved" is as easy to press as "solved". */
export function Proposed() {
  const { s, t } = useUi();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const say = async (solved: boolean) => {
    if (busy) return;
    setBusy(true);
    setError('');
    try {
      await s.act({ t: 'chat.confirm', solved, ...(s.chatId ? { chat: s.chatId } : {}) });
    } catch (e) {
      setError(t(`error.${e instanceof Refusal ? e.code : 'internal'}`));
    }
    setBusy(false);
  };
  return (
    <section class="ask" aria-label={t('solve.ask')}>
      <p class="ask-head">{t('solve.ask')}</p>
      <div class="pair even">
        <Button aria-disabled={busy} onClick={() => void say(true)} icon={icons.check}>{t('solve.yes')}</Button>
        <Button aria-disabled={busy} onClick={() => void say(false)} icon={icons.reply}>{t('solve.no')}</Button>
      </div>
      {error && <p class="field-error" role="alert">{error}</p>}
    </section>
  );
}
