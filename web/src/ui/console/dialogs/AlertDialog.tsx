// Acting on an alert: what was done is recorded with it.
import { useState } from 'preact/hooks';
import { alertActionText } from '../../../state/console/labels.js';
import type { AlertAction } from '../../../state/console/labels.js';
import { t } from '../../../state/console/words.js';
import { TextArea } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';

export function AlertDialog({ alert, action }: { alert: string; action: AlertAction }) {
  const desk = useDesk();
  const [note, setNote] = useState('');
  const chat = desk.alerts.peek().find((a) => a.alert === alert)?.chat;
  return (
    <ActDialog title={alertActionText(action)} submit={alertActionText(action)} command={{ t: 'alert.act', alert, action, ...(note.trim() ? { note: note.trim() } : {}) }}
      explain={(r) => (r.code === 'conflict' ? t('alert.over') : null)}
      onDone={() => {
        desk.alerts.value = desk.alerts.peek().filter((a) => a.alert !== alert);
        desk.toasts.say(t('alert.done'));
        if (chat === undefined || (action !== 'take_over' && action !== 'move')) return;
        desk.show(chat);
        if (action === 'move') desk.dialog.value = { kind: 'reassign', chat };
      }}>
      <p class="dialog-says">{action === 'take_over' ? t('alert.says_take_over') : action === 'move' ? t('alert.says_move') : action === 'call_back' ? t('alert.says_call_back') : t('alert.says_explain')}</p>
      <TextArea label={t('alert.note')} mark={t('optional')} value={note} maxLength={4000} dir="auto" autoFocus onInput={(e) => setNote(e.currentTarget.value)} />
    </ActDialog>
  );
}
