// "/" in the reply: canned replies and articles for what follows it, to insert as a draft. Where none fits the text is a text like any other.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import { firstChars } from '../../model/text.js';
import type { ArticleHit } from '../../model/types.js';
import { canned, cannedText, cannedTitle, findCanned, loadCanned } from '../../state/console/canned.js';
import type { Canned } from '../../state/console/canned.js';
import { i18n, t } from '../../state/console/words.js';
import { useDesk } from './desk.js';

const WAIT_MS = 180;
/** Below this the console itself says "maybe": too little to put in the place of what was typed. */
const FITS = 0.5;

export type Pick = { canned: Canned } | { article: ArticleHit };

interface Props {
  query: string;
  /** The shopper's language. */
  lang: string;
  field: RefObject<HTMLTextAreaElement | null>;
  onPick: (picked: Pick) => void;
  /** Whether anything fits; while it is searched it may. */
  onFound: (any: boolean) => void;
  onClose: () => void;
}

export function ReplyPicker({ query, lang, field, onPick, onFound, onClose }: Props) {
  const desk = useDesk();
  const [found, setFound] = useState<{ articles: ArticleHit[]; for: string } | null>(null);
  const [at, setAt] = useState(0);
  const [composed, setComposed] = useState(0);
  const wanted = query.trim();
  const replies = ime.active ? [] : findCanned(canned.value, wanted);
  const articles = wanted === '' ? [] : (found?.articles ?? []);
  const hits: Pick[] = [...replies.map((c) => ({ canned: c })), ...articles.map((a) => ({ article: a }))];
  const searching = wanted !== '' && found === null;
  const now = useRef({ hits, at, query, found, onPick }); // a fast typist does not wait for a frame
  Object.assign(now.current, { hits, query, found, onPick });
  const move = (n: number) => {
    now.current.at = n;
    setAt(n);
  };
  const show = (list: ArticleHit[]) => setFound({ articles: list.filter((a) => (a.confidence ?? 1) >= FITS), for: query });

  useEffect(() => void loadCanned(), []);
  useEffect(() => move(0), [query]);
  useEffect(() => onFound(wanted === '' || searching || hits.length > 0), [wanted, searching, hits.length]);
  useEffect(() => {
    if (wanted === '' || ime.active) {
      setFound(null);
      return undefined;
    }
    let gone = false;
    const timer = setTimeout(() => {
      desk.findArticles(wanted).then((list) => !gone && show(list), () => !gone && show([]));
    }, WAIT_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [query, composed]);
  useEffect(() => {
    const el = field.current;
    const onKey = (e: KeyboardEvent) => {
      const { hits: all, at: n, onPick: pick } = now.current;
      const hit = all[n];
      if (ime.owns(e) || !hit) return;
      if (e.key === 'ArrowDown') move((n + 1) % all.length);
      else if (e.key === 'ArrowUp') move((n - 1 + all.length) % all.length);
      else if (e.key === 'Enter') ('canned' in hit || now.current.found?.for === now.current.query) && pick(hit); // articles may be an older word's
      else return;
      e.preventDefault();
      e.stopPropagation();
    };
    const onComposed = () => setComposed((n) => n + 1); // what was composed may stay as it stood
    el?.addEventListener('keydown', onKey);
    el?.addEventListener('compositionend', onComposed);
    return () => {
      el?.removeEventListener('keydown', onKey);
      el?.removeEventListener('compositionend', onComposed);
    };
  }, []);

  if (wanted !== '' && !searching && hits.length === 0) return null;
  const head = wanted === '' ? (hits.length > 0 ? t('picker.canned') : t('picker.type')) : searching ? t('picker.searching') : t('picker.found', { n: hits.length });
  return (
    <div class="picker" id="reply-picker">
      <p class="picker-head">{head}</p>
      {hits.length > 0 && (
        <ul class="picker-list" role="listbox" aria-label={t('picker.label')}>
          {hits.map((hit, i) => <Option key={'canned' in hit ? `canned:${hit.canned.name}` : hit.article.id} hit={hit} lang={lang} marked={i === at} onPick={() => onPick(hit)} />)}
        </ul>
      )}
      <button type="button" class="sr" onClick={onClose}>{t('close')}</button>
    </div>
  );
}

function Option({ hit, lang, marked, onPick }: { hit: Pick; lang: string; marked: boolean; onPick: () => void }) {
  const item = useRef<HTMLLIElement>(null);
  const text = 'canned' in hit ? cannedText(hit.canned, lang) : (hit.article.text ?? '');
  useEffect(() => {
    if (marked) item.current?.scrollIntoView({ block: 'nearest' });
  }, [marked]);
  return (
    <li ref={item} role="option" aria-selected={marked} class={marked ? 'at' : ''} onMouseDown={(e) => e.preventDefault()} onClick={onPick}>
      <b dir="auto">{'canned' in hit ? <>{cannedTitle(hit.canned, i18n.value.lang)}<kbd class="picker-name">/{hit.canned.name}</kbd></> : hit.article.title}</b>
      {text && <span dir="auto">{firstChars(text, 140)}</span>}
    </li>
  );
}
