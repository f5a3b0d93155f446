// One article, its languages side by side. Saving writes the next version of each language that was changed.
import { useLayoutEffect, useState } from 'preact/hooks';
import { ApiError } from '../../../state/console/api.js';
import { article as getArticle, changed, draftOf, figures, rebase, saveSide, sharedOf, writing } from '../../../state/console/knowledge.js';
import type { Draft, Figures, Shared, Side } from '../../../state/console/knowledge.js';
import { Badge, Button, Icon, IconButton, Select, TextArea, TextField, icons } from '../../kit/index.js';
import { Validity } from './Articles.js';
import { Waiting, errorText, useAsk } from './ask.js';
import { History } from './History.js';
import { Preview } from './Preview.js';
import { TaughtList } from './Taught.js';
import { useUnsaved } from './unsaved.js';
import { i18n, shortWhen, t } from './words.js';

export function Editor({ what, onClose }: { what: string | Draft; onClose: () => void }) {
  const asked = useAsk<Draft>(async () => (typeof what === 'string' ? draftOf(await getArticle(what)) : what), [what]);
  return <Waiting asked={asked}>{(draft: Draft) => <Desk key={draft.article} what={what} start={draft} onClose={onClose} />}</Waiting>;
}

type Trouble = { text: string; conflict: boolean } | null;

function Desk({ what, start, onClose }: { what: string | Draft; start: Draft; onClose: () => void }) {
  const [d, setD] = useState(writing.draft ?? start);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>(null);
  const [saved, setSaved] = useState('');
  const [leaving, setLeaving] = useState(false);
  const [history, setHistory] = useState(false);
  const [taught, setTaught] = useState(false);
  const counts = useAsk(figures, [saved]);
  const dirty = changed(d);
  const set = (change: Partial<Draft>) => {
    setD({ ...d, ...change });
    setSaved('');
    setLeaving(false);
  };
  const setSide = (lang: string, change: Partial<Side>) => set({ sides: d.sides.map((s) => (s.lang === lang ? { ...s, ...change } : s)) });
  useLayoutEffect(() => {
    writing.draft = dirty.length > 0 ? d : null;
  }, [d]);
  useUnsaved(dirty.length > 0);

  const save = async () => {
    setBusy(true);
    setTrouble(null);
    const done: string[] = [];
    try {
      for (const side of dirty) {
        await saveSide(d, side);
        done.push(side.lang);
      }
      const stored = await getArticle(d.article.trim());
      if (writing.what === what) writing.what = stored.article;
      if (writing.draft === d) writing.draft = null; // also if this screen was left meanwhile
      setD((now) => (now === d ? draftOf(stored) : rebase(now, stored))); // what was written meanwhile stays
      setSaved(t('kb.saved', { time: shortWhen(Date.now()) }));
    } catch (error) {
      setTrouble({ text: errorText(error), conflict: error instanceof ApiError && error.status === 409 });
      const stored = done.length > 0 ? await getArticle(d.article.trim()).catch(() => null) : null;
      if (stored) setD((now) => rebase(now, stored, done)); // those are saved: the next press is for the others
    }
    setBusy(false);
  };
  const keepMine = () => void getArticle(d.article.trim()).then((now) => { setD(rebase(d, now)); setTrouble(null); }, (e: unknown) => setTrouble({ text: errorText(e), conflict: false }));
  const close = () => (dirty.length > 0 && !leaving ? setLeaving(true) : onClose());

  return (
    <form class="kb-editor" onSubmit={(e) => { e.preventDefault(); void save(); }}>
      <header class="kb-head">
        <IconButton icon={icons.back} label={t('kb.back')} onClick={close} />
        <h1 dir="auto">{d.isNew ? t('kb.new') : (d.sides.find((s) => s.lang.startsWith(i18n.value.lang.slice(0, 2)) && s.title !== '') ?? d.sides.find((s) => s.title !== ''))?.title ?? d.article}</h1>
        <span class="kb-saved" role="status">{saved}</span>
        <div class="kb-acts">
          {!d.isNew && <Button small kind="quiet" icon={icons.clock} onClick={() => setHistory(true)}>{t('kb.history')}</Button>}
          {!d.isNew && <Button small kind="quiet" icon={icons.users} aria-expanded={taught} onClick={() => setTaught(!taught)}>{t('kb.tab.taught')}</Button>}
          <Button kind="primary" icon={icons.check} type="submit" disabled={busy || dirty.length === 0}>{t('kb.save')}</Button>
        </div>
      </header>
      {leaving && (
        <div class="kb-problem" role="alert"><Icon path={icons.alert} size={16} /><span>{t('kb.unsaved')}</span>
          <Button small onClick={() => setLeaving(false)}>{t('kb.stay')}</Button><Button small kind="danger" onClick={onClose}>{t('kb.discard')}</Button></div>
      )}
      {trouble && (
        <div class="kb-problem" role="alert"><Icon path={icons.alert} size={16} /><span>{trouble.text}</span>
          {trouble.conflict && <><Button small onClick={() => setHistory(true)}>{t('kb.show_theirs')}</Button><Button small onClick={keepMine}>{t('kb.keep_mine')}</Button></>}</div>
      )}
      <Facts d={d} set={set} figures={counts.value?.get(d.article)} />
      <div class="kb-sides">
        {d.sides.map((s) => <SideForm key={s.lang} side={s} onChange={(change) => setSide(s.lang, change)} />)}
      </div>
      {taught && <TaughtList article={d.article} />}
      {history && <History article={d.article} onClose={() => setHistory(false)} />}
    </form>
  );
}

/** What both languages have in common. */
function Facts({ d, set, figures: f }: { d: Draft; set: (change: Partial<Draft>) => void; figures: Figures | undefined }) {
  const own = (what: keyof Shared) => (d.shown[what] === '' && d.sides.some((s) => s.from !== null && sharedOf(s.from)[what] !== '') ? t('kb.own') : undefined);
  return (
    <section class="kb-facts" aria-label={t('kb.facts')}>
      <TextField label={t('kb.id')} value={d.article} readOnly={!d.isNew} required pattern="[a-z0-9\-]{1,64}" maxLength={64} hint={d.isNew ? t('kb.id_hint') : undefined} onInput={(e) => set({ article: e.currentTarget.value })} />
      <TextField label={t('kb.department')} value={d.department} hint={own('department')} onInput={(e) => set({ department: e.currentTarget.value })} />
      <Select label={t('kb.audience')} value={d.audience} onChange={(e) => set({ audience: e.currentTarget.value as Draft['audience'] })}
        options={[...(own('audience') ? [{ value: '', text: t('kb.own') }] : []), { value: 'shopper', text: t('kb.for_shoppers') }, { value: 'rep', text: t('kb.for_staff') }]} />
      <TextField label={t('kb.valid_from')} type="date" value={d.validFrom} hint={own('validFrom')} onInput={(e) => set({ validFrom: e.currentTarget.value })} />
      <TextField label={t('kb.valid_until')} type="date" value={d.validUntil} hint={own('validUntil')} onInput={(e) => set({ validUntil: e.currentTarget.value })} />
      <div class="kb-row-figures">
        <Validity from={d.validFrom} until={d.validUntil} />
        {f && <><span>{t('kb.used', { n: f.used + f.edited })}</span><span>{t('kb.rejected', { n: f.rejected })}</span><span>{t('kb.helped', { n: f.helped })}</span><span>{t('kb.not_helped', { n: f.not_helped })}</span></>}
      </div>
    </section>
  );
}

function SideForm({ side: s, onChange }: { side: Side; onChange: (change: Partial<Side>) => void }) {
  const [reading, setReading] = useState(false);
  const name = s.lang === 'zh-CN' ? t('kb.lang_zh') : s.lang === 'en' ? t('kb.lang_en') : s.lang;
  return (
    <fieldset class="kb-side" lang={s.lang}>
      <legend>{name}</legend>
      <p class="kb-side-says">
        {s.from === null ? t('kb.no_version') : s.from.version === 0 ? t('kb.from_file') : t('kb.version', { version: String(s.from.version), name: s.from.by?.name ?? '', time: s.from.at === undefined ? '' : shortWhen(s.from.at) })}
        {s.from?.set_aside === true && <> <Badge tone="warn" title={t('kb.set_aside_says')}>{t('kb.set_aside')}</Badge></>}
      </p>
      <TextField label={t('kb.article_title')} value={s.title} dir="auto" maxLength={200} onInput={(e) => onChange({ title: e.currentTarget.value })} />
      <div class="kb-body">
        <div class="kb-body-head">
          <span class="field-label" id={`kb-body-${s.lang}`}>{t('kb.body')}</span>
          <div class="screens" role="group" aria-label={t('kb.view')}>
            <button type="button" aria-pressed={!reading} onClick={() => setReading(false)}>{t('kb.write')}</button>
            <button type="button" aria-pressed={reading} onClick={() => setReading(true)}>{t('kb.preview')}</button>
          </div>
        </div>
        {reading ? <Preview body={s.body} />
          : <textarea class="field-input" rows={12} dir="auto" aria-labelledby={`kb-body-${s.lang}`} value={s.body} maxLength={30000} onInput={(e) => onChange({ body: e.currentTarget.value })} />}
      </div>
      <TextArea label={t('kb.questions')} hint={t('kb.questions_hint')} rows={4} dir="auto" value={s.questions} onInput={(e) => onChange({ questions: e.currentTarget.value })} />
      <TextField label={t('kb.keywords')} hint={t('kb.keywords_hint')} dir="auto" value={s.keywords} onInput={(e) => onChange({ keywords: e.currentTarget.value })} />
    </fieldset>
  );
}
