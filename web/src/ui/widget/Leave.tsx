import { useEffect, useState } from 'preact/hooks';
import { isBlank } from '../../model/text.js';
import { Button } from '../kit/Button.js';
import { TextArea, TextField } from '../kit/Field.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { Spinner } from '../kit/small.js';
import { ArticleList } from './Articles.js';
import { when } from './entry.js';
import { useArticles } from './search.js';
import { useUi } from './ui.js';

/** How often a closed shop is asked again while its form stands open and empty. */
const ASK_MS = 30_000;

interface LeaveProps {
  kind: 'message' | 'callback';
  /** Nobody is here: this form is the way in, not a detour. */
  closed?: boolean;
  onBack?: (() => void) | undefined;
}

/** The hours a call can be asked for: as soon as possible, or from the next full hour on. */
function callTimes(now: number): number[] {
  const hour = 3_600_000;
  const first = Math.ceil((now + hour / 2) / hour) * hour;
  return Array.from({ length: 48 }, (_, i) => first + i * hour).filter((at) => {
    const h = new Date(at).getHours();
    return h >= 10 && h < 20;
  }).slice(0, 10);
}

/** A message with a way to be reached, or a call-back: a task with a person behind it. */
export function Leave({ kind, closed, onBack }: LeaveProps) {
  const { s, i, t, setForm } = useUi();
  const [text, setText] = useState(s.draft);
  const [errors, setErrors] = useState<{ text?: string; contact?: string }>({});
  const articles = useArticles(kind === 'message' ? text : '');
  const call = kind === 'callback';
  const contact = (call ? s.kept.tel : s.kept.contact) ?? '';
  const times = call ? callTimes(s.now).map(String) : [];
  const at = times.find((ms) => ms === s.kept.at) ?? ''; // a time that was chosen may have passed
  const { leaving, left } = s;
  useEffect(() => {
    if (!closed || contact) return undefined;
    const handle = setInterval(() => s.askIfOpen(), ASK_MS);
    return () => clearInterval(handle);
  }, [closed, contact]);

  const submit = () => {
    const found = { ...(!call && isBlank(text) ? { text: t('leave.empty') } : {}), ...(isBlank(contact) ? { contact: t('leave.no_contact') } : {}) };
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    s.leave(call
      ? { t: 'callback.ask', contact: contact.trim(), ...(isBlank(text) ? {} : { text: text.trim() }), ...(at ? { at: Number(at) } : {}) }
      : { t: 'message.leave', text: text.trim(), contact: contact.trim() });
  };

  if (leaving) {
    return (
      <div class="scroll center" role="status">
        <Spinner label={t('msg.pending')} />
        <h2>{t('msg.pending')}…</h2>
        <p class="soft">{t('leave.sending')}</p>
        {onBack && <Button onClick={onBack}>{t('back')}</Button>}
      </div>
    );
  }
  if (left) {
    const wasCall = left.t === 'callback.ask';
    return (
      <div class="scroll center" role="status">
        <span class="round good"><Icon path={icons.check} size={28} /></span>
        <h2>{t(wasCall ? 'leave.call_done' : 'leave.done')}</h2>
        <p class="soft">{t('leave.done_text', { contact: 'contact' in left ? (left.contact ?? '') : '' })}</p>
        <Button kind="primary" onClick={() => { s.left = null; setText(s.draft); setForm(null); }}>{t('leave.ok')}</Button>
      </div>
    );
  }
  return (
    <div class="scroll">
      {onBack && <button type="button" class="link back" onClick={onBack}><Icon path={icons.back} size={16} />{t('back')}</button>}
      <div class="hello">
        <h2>{t(closed ? 'closed.title' : call ? 'leave.call_title' : 'leave.title')}</h2>
        <p>{t(closed ? 'closed.text' : call ? 'leave.call_text' : 'leave.text')}</p>
      </div>
      {closed && (
        <div class="choice" role="group" aria-label={t('leave.how')}>
          <button type="button" class="chip" aria-pressed={!call} onClick={() => setForm('message')}>{t('wait.leave')}</button>
          <button type="button" class="chip" aria-pressed={call} onClick={() => setForm('callback')}>{t('wait.call')}</button>
        </div>
      )}
      <form class="form" noValidate onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <TextArea label={t(call ? 'leave.about' : 'leave.message')} mark={call ? t('optional') : undefined} rows={call ? 2 : 4} name="message" value={text} error={errors.text} maxLength={4000}
          onInput={(e) => { setText(e.currentTarget.value); s.setDraft(e.currentTarget.value); }} />
        <ArticleList articles={articles} />
        <TextField label={t(call ? 'leave.phone' : 'leave.contact')} type={call ? 'tel' : 'text'} name={call ? 'tel' : 'contact'} autocomplete={call ? 'tel' : 'email'}
          value={contact} error={errors.contact} maxLength={200} hint={call ? undefined : t('leave.contact_hint')} onInput={(e) => s.keep(call ? { tel: e.currentTarget.value } : { contact: e.currentTarget.value })} />
        {call && (
          <div class="field">
            <label class="field-label" for="fl-when">{t('leave.when')}</label>
            <select id="fl-when" class="field-input" value={at} onChange={(e) => s.keep({ at: e.currentTarget.value })}>
              <option value="">{t('leave.soon')}</option>
              {times.map((ms) => <option key={ms} value={ms}>{when(Number(ms), s.now, i)}</option>)}
            </select>
          </div>
        )}
        {s.leftError && <p class="field-error" role="alert">{t(`error.${s.leftError}`)}</p>}
        <Button kind="primary" type="submit" wide icon={call ? icons.phone : icons.mail}>{t(call ? 'leave.call_send' : 'leave.send')}</Button>
      </form>
    </div>
  );
}
