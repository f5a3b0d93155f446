import { useState } from 'preact/hooks';
import { isBlank } from '../../model/text.js';
import { ime } from '../../model/ime.js';
import { Button } from '../kit/Button.js';
import { Check, TextArea, TextField } from '../kit/Field.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { useArticles } from './search.js';
import { TEXT_CHARS, countChars } from './limits.js';
import { useUi } from './ui.js';

/** The departments a shopper can choose among. */
function useDepartments() {
  const { s } = useUi();
  return (s.welcome?.departments ?? []).map((d) => (typeof d === 'string' ? { name: d, title: d, open: true } : d));
}

/** Before a chat: as little as possible is asked, and nothing that is known. */
export function PreChat({ onSolved }: { onSolved: () => void }) {
  const { s, t, setForm, later } = useUi();
  const departments = useDepartments();
  const [text, setText] = useState(s.draft);
  const { name = s.name, department = '', care = false } = s.kept;
  const [error, setError] = useState(s.startError && t(`error.${s.startError}`));
  const fitting = useArticles(text);
  const articles = fitting.length > 0 ? fitting : (s.welcome?.articles ?? []);
  const found = articles.length > 0 ? later() : null;
  const known = Boolean(s.welcome?.shopper?.name);
  const chosen = departments.find((d) => d.name === department);

  const submit = () => {
    const words = text.trim();
    if (isBlank(words)) setError(t('pre.empty'));
    else if (countChars(words) > TEXT_CHARS) setError(t('composer.too_long', { n: countChars(words) - TEXT_CHARS }));
    else s.start({ text: words, name: name.trim(), department, care });
  };

  return (
    <div class="scroll">
      <div class="hello">
        <h2 dir="auto">{known ? t('pre.hello_name', { name: s.name }) : (s.welcome?.site?.greeting || t('pre.hello'))}</h2>
        <p>{t('pre.lead')}</p>
      </div>
      <form class="form" noValidate onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <TextArea label={t('pre.question')} rows={3} value={text} error={error} placeholder={t('pre.placeholder')} name="question"
          onInput={(e) => { setText(e.currentTarget.value); setError(s.startError = ''); s.setDraft(e.currentTarget.value); later(); }}
          onKeyDown={(e) => {
            if (e.key === 'Enter' && !e.shiftKey && (e.ctrlKey || e.metaKey) && !ime.owns(e)) submit();
          }} />
        {departments.length > 1 && (
          <fieldset class="choice">
            <legend class="field-label">{t('pre.topic')} <span class="field-optional">{t('optional')}</span></legend>
            {departments.map((d) => (
              <button type="button" class="chip" key={d.name} aria-pressed={department === d.name} onClick={() => s.keep({ department: department === d.name ? '' : d.name })}>
                {d.title}
              </button>
            ))}
          </fieldset>
        )}
        {chosen && !chosen.open && (
          <p class="notice">{t('pre.department_closed', { name: chosen.title })}{' '}
            <button type="button" class="link" onClick={() => setForm('message')}>{t('wait.leave')}</button>
          </p>
        )}
        {!known && (
          <TextField label={t('pre.name')} mark={t('optional')} value={name} name="name" autocomplete="name" maxLength={60} onInput={(e) => s.keep({ name: e.currentTarget.value })} />
        )}
        <Check label={t('pre.care')} hint={t('pre.care_hint')} checked={care} onChange={(e) => s.keep({ care: e.currentTarget.checked })} />
        <Button kind="primary" type="submit" wide icon={icons.chat}>{t('pre.start')}</Button>
        {/* Below it: what comes in while the finger is on its way must not move the button. */}
        {found && <found.ArticleList articles={articles} onSolved={onSolved} />}
        {!s.durable && <p class="soft"><Icon path={icons.info} size={14} /> {t('pre.memory')}</p>}
        {(s.welcome?.identity_error || s.identityFailed) && <p class="soft"><Icon path={icons.info} size={14} /> {t('pre.identity')}</p>}
      </form>
      <div class="pair quiet-pair">
        <Button kind="quiet" small icon={icons.mail} onClick={() => setForm('message')}>{t('wait.leave')}</Button>
        <Button kind="quiet" small icon={icons.phone} onClick={() => setForm('callback')}>{t('wait.call')}</Button>
      </div>
    </div>
  );
}
