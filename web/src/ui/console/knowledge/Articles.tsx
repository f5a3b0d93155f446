// All articles: found by what is in them, with what became of them.
import { Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ime } from '../../../model/ime.js';
import { articles, figures, newDraft, reload } from '../../../state/console/knowledge.js';
import type { Article, ArticlePage, Draft, Figures, Version } from '../../../state/console/knowledge.js';
import { departmentText } from '../../../state/console/labels.js';
import { Badge, Button, Icon, icons } from '../../kit/index.js';
import { Waiting, errorText, useAsk } from './ask.js';
import { i18n, t } from './words.js';

const WAIT_MS = 200;

export function Articles({ onOpen }: { onOpen: (what: string | Draft) => void }) {
  const [text, setText] = useState('');
  const [q, setQ] = useState('');
  const [more, setMore] = useState<Article[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const page = useAsk(() => articles(q, null), [q]);
  const counts = useAsk(figures, []);
  useEffect(() => {
    const timer = setTimeout(() => !ime.active && setQ(text.trim()), WAIT_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    setMore([]);
    setNext(page.value?.next ?? null);
  }, [page.value]);
  const wanted = useRef<ArticlePage | null>(null);
  wanted.current = page.value;
  const goOn = () => {
    const list = page.value;
    const cursor = next;
    setNext(null); // once; with a failure the button comes back
    articles(q, cursor).then((p) => {
      if (wanted.current !== list) return; // another search meanwhile
      setMore([...more, ...p.items]);
      setNext(p.next);
    }, (e: unknown) => {
      setSaid(errorText(e));
      if (wanted.current === list) setNext(cursor);
    });
  };
  const readAgain = () => void reload().then(() => { setSaid(t('kb.reloaded')); page.again(); }, (e: unknown) => { setSaid(errorText(e)); page.again(); });
  return (
    <section class="kb-part" aria-label={t('kb.tab.articles')}>
      <div class="kb-bar">
        <label class="kb-search"><Icon path={icons.search} size={15} /><span class="sr">{t('kb.search')}</span>
          <input type="search" value={text} placeholder={t('kb.search')} onInput={(e) => setText(e.currentTarget.value)} onCompositionEnd={(e) => setQ(e.currentTarget.value.trim())} />
        </label>
        <Button small kind="quiet" icon={icons.refresh} onClick={readAgain}>{t('kb.reload')}</Button>
        <Button small kind="primary" icon={icons.plus} onClick={() => onOpen(newDraft())}>{t('kb.new')}</Button>
      </div>
      <p class="sr" role="status">{said ?? ''}</p>
      <Waiting asked={page}>
        {(p: ArticlePage) => (
          <>
            {p.problem !== undefined && <div class="kb-problem" role="alert"><Icon path={icons.alert} size={16} /><div><b>{t('kb.problem')}</b><code>{p.problem}</code></div></div>}
            <p class="soft">{t('kb.total', { n: p.total })}</p>
            {p.total === 0 ? <div class="kb-none"><Icon path={icons.book} size={26} /><p>{t('kb.none')}</p></div> : (
              <ul class="kb-list">
                {[...p.items, ...more].map((a) => <Row key={a.article} article={a} figures={counts.value?.get(a.article)} onOpen={() => onOpen(a.article)} />)}
              </ul>
            )}
            {next !== null && <Button small onClick={goOn}>{t('kb.more')}</Button>}
          </>
        )}
      </Waiting>
    </section>
  );
}

/** In the reader's language where there is one. */
export const shownOf = (a: Article): Version | undefined => a.languages.find((v) => v.lang.startsWith(i18n.value.lang.slice(0, 2))) ?? a.languages[0];

const today = () => new Date().toISOString().slice(0, 10);

export function Validity({ from, until }: { from?: string | undefined; until?: string | undefined }) {
  if (until !== undefined && until !== '' && until < today()) return <Badge tone="bad">{t('kb.over', { day: until })}</Badge>;
  if (from !== undefined && from !== '' && from > today()) return <Badge tone="info">{t('kb.not_yet', { day: from })}</Badge>;
  return null;
}

function Row({ article, figures: f, onOpen }: { article: Article; figures: Figures | undefined; onOpen: () => void }) {
  const shown = shownOf(article);
  if (!shown) return null;
  const used = f ? f.used + f.edited : 0;
  const alike = article.languages.every((v) => v.valid_from === shown.valid_from && v.valid_until === shown.valid_until);
  return (
    <li>
      <button type="button" class="kb-row" onClick={onOpen}>
        <span class="kb-row-main">
          <b dir="auto">{shown.title}</b>
          <span class="kb-row-sub"><code>{article.article}</code> · {departmentText(shown.department)}</span>
        </span>
        <span class="kb-row-marks">
          {article.languages.map((v) => <Fragment key={v.lang}><Badge>{v.lang}</Badge>{!alike && <Validity from={v.valid_from} until={v.valid_until} />}</Fragment>)}
          {shown.audience === 'rep' && <Badge tone="note">{t('kb.staff_only')}</Badge>}
          {alike && <Validity from={shown.valid_from} until={shown.valid_until} />}
          {article.languages.some((v) => v.set_aside) && <Badge tone="warn">{t('kb.set_aside')}</Badge>}
        </span>
        <span class="kb-row-figures">
          {f && used > 0 && <span>{t('kb.used', { n: used })}</span>}
          {f && f.rejected > 0 && <span>{t('kb.rejected', { n: f.rejected })}</span>}
          {f && f.helped > 0 && <span>{t('kb.helped', { n: f.helped })}</span>}
        </span>
      </button>
    </li>
  );
}
