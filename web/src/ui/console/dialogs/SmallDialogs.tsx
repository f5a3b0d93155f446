// Refer, triage, tag, verify, reassign.
import { useState } from 'preact/hooks';
import { firstChars } from '../../../model/text.js';
import { checkNames, checkText } from '../../../state/console/labels.js';
import type { ChatView } from '../../../state/console/view.js';
import { t } from '../../../state/console/words.js';
import { Check, TextArea, TextField } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { ActDialog } from './ActDialog.js';
import { Receivers } from './receivers.js';
import { useText } from './useText.js';

export function ReferDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [who, setWho] = useText('who');
  const [how, setHow] = useText('how');
  const [by, setBy] = useText('by');
  return (
    <ActDialog title={t('refer.title')} submit={t('refer.submit')}
      command={who.trim() === '' || how.trim() === '' ? null : { t: 'chat.refer', chat: view.chat, who: who.trim(), how: how.trim(), ...(by.trim() ? { by: by.trim() } : {}) }}
      onDone={() => desk.announce(t('refer.done'))}>
      <p class="dialog-says">{t('refer.says')}</p>
      <TextField label={t('refer.who')} value={who} dir="auto" autoFocus onInput={(e) => setWho(e.currentTarget.value)} />
      <TextField label={t('refer.how')} value={how} dir="auto" placeholder={t('refer.how_hint')} onInput={(e) => setHow(e.currentTarget.value)} />
      <TextField label={t('refer.by')} mark={t('optional')} value={by} dir="auto" placeholder={t('refer.by_hint')} onInput={(e) => setBy(e.currentTarget.value)} />
    </ActDialog>
  );
}

export function TriageDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [to, setTo] = useState('');
  const [reason, setReason] = useText('reason');
  return (
    <ActDialog title={t('triage.title')} submit={t('triage.submit')}
      command={to === '' || reason.trim() === '' ? null : { t: 'chat.triage', chat: view.chat, department: to, reason: reason.trim() }}
      onDone={() => {
        desk.toasts.say(t('triage.done', { to: desk.departmentText(to) }));
        desk.moveOn(view.chat);
      }}>
      <p class="dialog-says">{t('triage.says')}</p>
      <Receivers desk={desk} value={to} onPick={setTo} label={t('card.department')} people={false} />
      <TextArea label={t('reason')} value={reason} maxLength={500} rows={2} dir="auto" onInput={(e) => setReason(e.currentTarget.value)} />
    </ActDialog>
  );
}

export function TagDialog({ view }: { view: ChatView }) {
  const [text, setText] = useText('text');
  const names = [...new Set(text.split(/[,，;；\n]/).map((s) => firstChars(s.trim(), 50)).filter((s) => s !== '' && !view.row.peek().tags.includes(s)))].slice(0, 20);
  return (
    <ActDialog title={t('tag.title')} submit={t('tag.submit')} command={names.length === 0 ? null : { t: 'chat.tag', chat: view.chat, add: names }} onDone={() => undefined}>
      <TextField label={t('tag.label')} value={text} dir="auto" autoFocus hint={t('tag.hint')} onInput={(e) => setText(e.currentTarget.value)} />
    </ActDialog>
  );
}

export function VerifyDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const have = view.row.peek().verified;
  const [checks, setChecks] = useState<string[]>([]);
  const [other, setOther] = useText('other');
  const firstOpen = checkNames.find((name) => !have.includes(name));
  const added = [...checks, ...(other.trim() ? [firstChars(other.trim(), 50)] : [])];
  const all = [...new Set([...view.row.value.verified, ...added])]; // it replaces what was verified
  return (
    <ActDialog title={t('verify.title')} submit={t('verify.submit')} command={added.length === 0 ? null : { t: 'chat.verify', chat: view.chat, checks: all }}
      onDone={() => desk.announce(t('verify.done'))}>
      <p class="dialog-says">{t('verify.says')}</p>
      <fieldset class="checks">
        <legend>{t('verify.legend')}</legend>
        {checkNames.map((name) => (
          <Check key={name} label={checkText(name)} checked={have.includes(name) || checks.includes(name)} disabled={have.includes(name)} autoFocus={name === firstOpen}
            onChange={(e) => setChecks(e.currentTarget.checked ? [...checks, name] : checks.filter((c) => c !== name))} />
        ))}
      </fieldset>
      <TextField label={t('verify.other')} mark={t('optional')} value={other} dir="auto" onInput={(e) => setOther(e.currentTarget.value)} />
    </ActDialog>
  );
}

export function ReassignDialog({ view }: { view: ChatView }) {
  const desk = useDesk();
  const [to, setTo] = useState('');
  const [reason, setReason] = useText('reason');
  return (
    <ActDialog title={t('reassign.title')} submit={t('reassign.submit')}
      command={to === '' || reason.trim() === '' ? null : { t: 'chat.reassign', chat: view.chat, to, reason: reason.trim() }}
      explain={(r) => (r.code === 'conflict' ? t('reassign.refused') : null)}
      onDone={() => desk.toasts.say(t('reassign.done', { to: desk.nameOf(to) }))}>
      <p class="dialog-says">{t('reassign.says')}</p>
      <Receivers desk={desk} value={to} onPick={setTo} label={t('reassign.to')} departments={false} onShiftOnly self />
      <TextArea label={t('reason')} value={reason} maxLength={500} rows={2} dir="auto" onInput={(e) => setReason(e.currentTarget.value)} />
    </ActDialog>
  );
}
