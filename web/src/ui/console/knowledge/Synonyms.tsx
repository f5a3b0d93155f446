// Groups of words that mean much the same, one a line.
import { useLayoutEffect, useState } from 'preact/hooks';
import { ApiError } from '../../../state/console/api.js';
import { saveSynonyms, synonyms, writing } from '../../../state/console/knowledge.js';
import type { Synonyms as Groups } from '../../../state/console/knowledge.js';
import { Button, Icon, TextArea, icons } from '../../kit/index.js';
import { Waiting, errorText, useAsk } from './ask.js';
import { useUnsaved } from './unsaved.js';
import { shortWhen, t } from './words.js';

export function Synonyms() {
  const asked = useAsk(synonyms, []);
  return <section class="kb-part" aria-label={t('kb.tab.synonyms')}><Waiting asked={asked}>{(s: Groups) => <Form start={s} />}</Waiting></section>;
}

function Form({ start }: { start: Groups }) {
  const [stored, setStored] = useState(writing.synonyms?.stored ?? start);
  const [text, setText] = useState(writing.synonyms?.text ?? start.text);
  /** What somebody else saved meanwhile. */
  const [theirs, setTheirs] = useState<Groups | null>(null);
  const [shown, setShown] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [saved, setSaved] = useState('');
  const [busy, setBusy] = useState(false);
  const dirty = text !== stored.text;
  useLayoutEffect(() => {
    writing.synonyms = dirty ? { stored, text } : null;
  }, [stored, text]);
  useUnsaved(dirty);
  const decide = (now: Groups, next: string) => {
    setStored(now);
    setText(next);
    setTheirs(null);
    setShown(false);
    setError(null);
  };
  const save = async () => {
    setBusy(true);
    setSaved('');
    try {
      await saveSynonyms({ ...stored, text });
      const next = await synonyms();
      if (writing.synonyms?.text === text) writing.synonyms = null; // also if this screen was left meanwhile
      setStored(next);
      setText((now) => (now === text ? next.text : now)); // what was written meanwhile stays
      setSaved(t('kb.saved', { time: shortWhen(Date.now()) }));
      setError(null);
    } catch (e) {
      setError(errorText(e));
      if (e instanceof ApiError && e.status === 409) setTheirs(await synonyms().catch(() => null));
    }
    setBusy(false);
  };
  return (
    <>
      <p class="soft">{t('kb.synonyms_says')}</p>
      {error !== null && <div class="kb-problem" role="alert"><Icon path={icons.alert} size={16} /><span>{error}</span>
        {theirs !== null && (
          <><Button small aria-expanded={shown} onClick={() => setShown(!shown)}>{t('kb.show_theirs')}</Button><Button small onClick={() => decide(theirs, text)}>{t('kb.keep_mine')}</Button>
            <Button small kind="danger" onClick={() => decide(theirs, theirs.text)}>{t('kb.discard')}</Button></>
        )}</div>}
      {theirs !== null && shown && <pre class="kb-history-text" dir="auto" tabIndex={0}>{theirs.text}</pre>}
      <TextArea label={t('kb.tab.synonyms')} rows={20} value={text} spellcheck={false} class="field-input" onInput={(e) => { setText(e.currentTarget.value); setSaved(''); }} />
      <div class="kb-acts"><Button kind="primary" icon={icons.check} disabled={busy || !dirty} onClick={() => void save()}>{t('kb.save')}</Button><span class="kb-saved" role="status">{saved}</span></div>
    </>
  );
}
