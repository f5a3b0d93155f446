// Proposing the resolution; the shopper confirms it, or the case comes back.
import { useState } from 'preact/hooks';
import { resolutionText, resolutions } from '../../../state/console/labels.js';
import type { Resolution } from '../../../state/console/labels.js';
import type { ChatView } from '../../../state/console/view.js';
import { t } from '../../../state/console/words.js';
import { TextArea } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { useText } from './useText.js';

export function ResolveDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const referred = view.log.entries.some((e) => e.kind === 'referred');
  const [how, setHow] = useState<Resolution>(referred ? 'referred' : 'answered');
  const [summary, setSummary] = useText('summary');
  return (
    <ActDialog title={t('resolve.title')} submit={t('resolve.submit')}
      command={summary.trim() === '' ? null : { t: 'chat.resolve', chat: view.chat, resolution: how, summary: summary.trim() }}
      explain={(r) => (r.code === 'resolution_required' ? explainMissing(how) : null)}
      onDone={() => {
        desk.toasts.say(t('resolve.done'));
        desk.moveOn(view.chat);
      }}>
      <p class="dialog-says">{t('resolve.says')}</p>
      <fieldset class="choices">
        <legend>{t('resolve.how')}</legend>
        {resolutions.map((r) => (
          <label key={r} class={how === r ? 'choice on' : 'choice'}><input type="radio" name="resolution" checked={how === r} onChange={() => setHow(r)} />{resolutionText(r)}</label>
        ))}
      </fieldset>
      <TextArea label={t('resolve.summary')} value={summary} maxLength={4000} rows={4} dir="auto" autoFocus placeholder={t('resolve.hint')} hint={t('resolve.seen')} onInput={(e) => setSummary(e.currentTarget.value)} />
    </ActDialog>
  );
}

/** What the log has to show first (rule 2.3). */
function explainMissing(how: Resolution): string {
  switch (how) {
    case 'answered': return t('resolve.need_answer');
    case 'referred': return t('resolve.need_referral');
    case 'request': return t('resolve.need_request');
    default: return t('resolve.need_complaint');
  }
}
