// Groups of words that mean much the same, one a line.
import { useState } from 'preact/hooks';
import { saveSynonyms, synonyms } from '../../../state/console/knowledge.js';
import type { Synonyms as Groups } from '../../../state/console/knowledge.js';
import { Button, Icon, TextArea, icons } from '../../kit/index.js';
import { Waiting, errorText, useAsk } from './ask.js';
import { shortWhen, t } from './words.js';

export function Synonyms() {
  const asked = useAsk(synonyms, []);
  return <section class="kb-part" aria-label={t('kb.tab.synonyms')}><Waiting asked={asked}>{(s: Groups) => <Form start={s} />}</Waiting></section>;
}

function Form({ start }: { start: Groups }) {
  const [stored, setStored] = useState(start);
  const [text, setText] = useState(start.text);
  const [error, setError] = useState<string | null>(null);
  const [saved, setSaved] = useState('');
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    setSaved('');
    try {
      await saveSynonyms({ ...stored, text });
      const next = await synonyms();
      setStored(next);
      setText((now) => (now === text ? next.text : now)); // what was written meanwhile stays
      setSaved(t('kb.saved', { time: shortWhen(Date.now()) }));
      setError(null);
    } catch (e) {
      setError(errorText(e));
    }
    setBusy(false);
  };
  return (
    <>
      <p class="soft">{t('kb.synonyms_says')}</p>
      {error !== null && <div class="kb-problem" role="alert"><Icon path={icons.alert} size={16} /><span>{error}</span></div>}
      <TextArea label={t('kb.tab.synonyms')} rows={20} value={text} spellcheck={false} class="field-input" onInput={(e) => { setText(e.currentTarget.value); setSaved(''); }} />
      <div class="kb-acts"><Button kind="primary" icon={icons.check} disabled={busy || text === stored.text} onClick={() => void save()}>{t('kb.save')}</Button><span class="kb-saved" role="status">{saved}</span></div>
    </>
  );
}
