// Acting on an alert: what the shopper is told, who is called back, where the chat goes.
import { useState } from 'preact/hooks';
import { alertActionText } from '../../../state/console/labels.js';
import type { AlertAction } from '../../../state/console/labels.js';
import { t } from '../../../state/console/words.js';
import { Select, TextArea, TextField } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { useText } from './useText.js';

const says = (action: AlertAction): string => {
  switch (action) {
    case 'take_over': return t('alert.says_take_over');
    case 'move': return t('alert.says_move');
    case 'call_back': return t('alert.says_call_back');
    default: return t('alert.says_explain');
  }
};

const noteLabel = (action: AlertAction): string => (action === 'explain' ? t('alert.words') : action === 'call_back' ? t('alert.about') : t('alert.note'));

const doneText = (action: AlertAction): string => (action === 'explain' ? t('alert.done_explain') : action === 'call_back' ? t('alert.done_call_back') : t('alert.done'));

export function AlertDialog({ alert, action }: { alert: string; action: AlertAction }) {
  const desk = useDesk();
  const [note, setNote] = useText('note');
  const [to, setTo] = useState('');
  const [contact, setContact] = useText('contact');
  const [at, setAt] = useState('');
  const about = desk.alerts.peek().find((a) => a.alert === alert);
  const chat = about?.chat;
  const when = at === '' ? NaN : new Date(at).getTime();
  const others = desk.departments.value.filter((d) => d !== about?.department);
  const isMissing = action === 'explain' && note.trim() === '';
  const command = {
    t: 'alert.act' as const, alert, action, ...(note.trim() ? { note: note.trim() } : {}), ...(to ? { to } : {}),
    ...(contact.trim() ? { contact: contact.trim() } : {}), ...(Number.isFinite(when) ? { at: when } : {}),
  };
  return (
    <ActDialog title={alertActionText(action)} submit={alertActionText(action)} command={isMissing ? null : command}
      explain={(r) => (r.code === 'conflict' ? t('alert.over') : r.code === 'bad_request' && at !== '' ? t('alert.at_past') : null)}
      onDone={() => {
        desk.alerts.value = desk.alerts.peek().filter((a) => a.alert !== alert);
        desk.toasts.say(doneText(action));
        if (chat === undefined || (action !== 'take_over' && (action !== 'move' || to !== ''))) return;
        desk.show(chat);
        if (action === 'move') desk.dialog.value = { kind: 'reassign', chat };
      }}>
      <p class="dialog-says">{says(action)}</p>
      {action === 'move' && (
        <Select label={t('alert.to')} value={to} onChange={(e) => setTo(e.currentTarget.value)}
          options={[{ value: '', text: t('alert.to_person') }, ...others.map((d) => ({ value: d, text: desk.departmentText(d) }))]} />
      )}
      {action === 'call_back' && (
        <>
          <TextField label={t('alert.contact')} mark={t('optional')} hint={t('alert.contact_hint')} value={contact} maxLength={200} dir="auto" autoFocus onInput={(e) => setContact(e.currentTarget.value)} />
          <TextField label={t('alert.at')} mark={t('optional')} type="datetime-local" value={at} onInput={(e) => setAt(e.currentTarget.value)} />
        </>
      )}
      <TextArea label={noteLabel(action)} {...(action === 'explain' ? {} : { mark: t('optional') })} value={note} maxLength={action === 'explain' ? 1000 : 4000} dir="auto"
        autoFocus={action !== 'call_back'} onInput={(e) => setNote(e.currentTarget.value)} />
    </ActDialog>
  );
}
