// "/" in the reply: articles found for what follows it, to insert as a draft. Where none fits the text is a text like any other.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import type { ArticleHit } from '../../model/types.js';
import { t } from '../../state/console/words.js';
import { useDesk } from './desk.js';

const WAIT_MS = 180;
/** Below this the console itself says "maybe": too little to put in the place of what was typed. */
const FITS = 0.5;

interface Props {
  query: string;
  field: RefObject<HTMLTextAreaElement | null>;
  onPick: (article: ArticleHit) => void;
  /** Whether anything fits; while it is searched it may. */
  onFound: (any: boolean) => void;
  onClose: () => void;
}

export function ArticlePicker({ query, field, onPick, onFound, onClose }: Props) {
  const desk = useDesk();
  const [found, setFound] = useState<ArticleHit[] | null>(null);
  const [at, setAt] = useState(0);
  const [composed, setComposed] = useState(0);
  const now = useRef({ found, at, query, foundFor: '', onPick });
  now.current.onPick = onPick;
  now.current.query = query;
  const move = (n: number) => {
    now.current.at = n;
    setAt(n);
  };
  const show = (articles: ArticleHit[]) => {
    const fitting = articles.filter((a) => (a.confidence ?? 1) >= FITS);
    now.current.found = fitting;
    now.current.foundFor = query;
    setFound(fitting);
    onFound(fitting.length > 0);
    move(0);
  };

  useEffect(() => {
    const wanted = query.trim();
    if (wanted === '' || ime.active) {
      now.current.found = null;
      setFound(null);
      onFound(true);
      return undefined;
    }
    let gone = false;
    const timer = setTimeout(() => {
      desk.findArticles(wanted).then((articles) => !gone && show(articles), () => !gone && show([]));
    }, WAIT_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [query, composed]);
  useEffect(() => {
    const el = field.current;
    const onKey = (e: KeyboardEvent) => {
      const { found: hits, at: n, onPick: pick, foundFor } = now.current; // a fast typist does not wait for a frame
      const hit = hits?.[n];
      if (ime.owns(e) || !hits || !hit) return;
      if (e.key === 'ArrowDown') move((n + 1) % hits.length);
      else if (e.key === 'ArrowUp') move((n - 1 + hits.length) % hits.length);
      else if (e.key === 'Enter') foundFor === now.current.query && pick(hit); // what stands there may fit an older word
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

  if (found?.length === 0) return null;
  return (
    <div class="picker" id="article-picker">
      <p class="picker-head">{query.trim() === '' ? t('picker.type') : found === null ? t('picker.searching') : t('picker.found', { n: found.length })}</p>
      {found && (
        <ul class="picker-list" role="listbox" aria-label={t('picker.label')}>
          {found.map((a, i) => (
            <li key={a.id} role="option" aria-selected={i === at} class={i === at ? 'at' : ''} onMouseDown={(e) => e.preventDefault()} onClick={() => onPick(a)}>
              <b dir="auto">{a.title}</b>
              {a.text && <span dir="auto">{a.text.slice(0, 140)}</span>}
            </li>
          ))}
        </ul>
      )}
      <button type="button" class="sr" onClick={onClose}>{t('close')}</button>
    </div>
  );
}
