// Handing over: the receiver must accept; until then nothing changes. The card travels along.
import { useState } from 'preact/hooks';
import { checkNames, checkText } from '../../../state/console/labels.js';
import type { ChatView } from '../../../state/console/view.js';
import { t } from '../../../state/console/words.js';
import { Check, TextArea } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { Receivers } from './receivers.js';
import { useText } from './useText.js';

export function TransferDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const row = view.row.peek();
  const [to, setTo] = useState('');
  const [summary, setSummary] = useText('summary', row.summary);
  const [requirements, setRequirements] = useText('requirements', row.requirements);
  const [promised, setPromised] = useText('promised', row.promised || row.promises.filter((p) => p.state !== 'kept').map((p) => p.text).join('\n'));
  const [verified, setVerified] = useState<string[]>(row.verified);
  const names = [...checkNames, ...row.verified.filter((v) => !(checkNames as readonly string[]).includes(v))];
  const card = {
    summary: summary.trim(), verified, ...(requirements.trim() ? { requirements: requirements.trim() } : {}), ...(promised.trim() ? { promised: promised.trim() } : {}),
  };
  return (
    <ActDialog title={t('transfer.title')} submit={t('transfer.submit')} wide
      command={to === '' || summary.trim() === '' ? null : { t: 'chat.transfer', chat: view.chat, to, card }}
      explain={(r) => (r.code === 'conflict' ? t('transfer.nobody') : null)}
      onDone={() => {
        desk.toasts.say(t('transfer.sent', { to: desk.nameOf(to) }));
        desk.moveOn(view.chat);
      }}>
      <p class="dialog-says">{t('transfer.says')}</p>
      <Receivers desk={desk} value={to} onPick={setTo} label={t('transfer.to')} onShiftOnly />
      <TextArea label={t('card.summary')} value={summary} maxLength={2000} dir="auto" placeholder={t('transfer.summary_hint')} onInput={(e) => setSummary(e.currentTarget.value)} />
      <div class="two">
        <TextArea label={t('card.requirements')} mark={t('optional')} rows={2} value={requirements} maxLength={2000} dir="auto" onInput={(e) => setRequirements(e.currentTarget.value)} />
        <TextArea label={t('card.promised')} mark={t('optional')} rows={2} value={promised} maxLength={2000} dir="auto" onInput={(e) => setPromised(e.currentTarget.value)} />
      </div>
      <fieldset class="checks">
        <legend>{t('card.verified')}</legend>
        {names.map((name) => (
          <Check key={name} label={checkText(name)} checked={verified.includes(name)}
            onChange={(e) => setVerified(e.currentTarget.checked ? [...verified, name] : verified.filter((v) => v !== name))} />
        ))}
      </fieldset>
    </ActDialog>
  );
}
