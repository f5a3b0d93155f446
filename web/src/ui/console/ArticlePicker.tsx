// "/" in the reply: articles found for what follows it, to insert as a draft.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import type { ArticleHit } from '../../model/types.js';
import { t } from '../../state/console/words.js';
import { useDesk } from './desk.js';

const WAIT_MS = 180;

interface Props {
  query: string;
  field: RefObject<HTMLTextAreaElement | null>;
  onPick: (article: ArticleHit) => void;
  onClose: () => void;
}

export function ArticlePicker({ query, field, onPick, onClose }: Props) {
  const desk = useDesk();
  const [found, setFound] = useState<ArticleHit[] | null>(null);
  const [at, setAt] = useState(0);
  const [composed, setComposed] = useState(0);
  const now = useRef({ found, at, onPick });
  now.current.onPick = onPick;
  const move = (n: number) => {
    now.current.at = n;
    setAt(n);
  };
  const show = (articles: ArticleHit[]) => {
    now.current.found = articles;
    setFound(articles);
    move(0);
  };

  useEffect(() => {
    const wanted = query.trim();
    if (wanted === '' || ime.active) {
      now.current.found = null;
      setFound(null);
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
      const { found: hits, at: n, onPick: pick } = now.current; // a fast typist does not wait for a frame
      const hit = hits?.[n];
      if (ime.owns(e) || !hits || !hit) return;
      if (e.key === 'ArrowDown') move((n + 1) % hits.length);
      else if (e.key === 'ArrowUp') move((n - 1 + hits.length) % hits.length);
      else if (e.key === 'Enter') pick(hit);
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

  return (
    <div class="picker" id="article-picker">
      <p class="picker-head">{query.trim() === '' ? t('picker.type') : found === null ? t('picker.searching') : found.length === 0 ? t('picker.none') : t('picker.found', { n: found.length })}</p>
      {found && found.length > 0 && (
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
