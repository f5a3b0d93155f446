import { useEffect, useRef, useState } from 'preact/hooks';
import { firstChars } from '../../model/text.js';
import type { ArticleHit } from '../../model/types.js';
import { ime } from '../../model/ime.js';
import { useUi } from './ui.js';

const PAUSE_MS = 400;

/** What fits the text being written; asked for when the writer pauses and no composition is open. */
export function useArticles(text: string): ArticleHit[] {
  const { s } = useUi();
  const [found, setFound] = useState<ArticleHit[]>([]);
  const latest = useRef('');
  useEffect(() => {
    const words = text.trim();
    if (words.length < (/[\u3400-\u9fff]/.test(words) ? 2 : 5)) {
      latest.current = ''; // an answer on its way is for what is gone
      setFound([]);
      return undefined;
    }
    const handle = setTimeout(function ask() {
      if (ime.active || words === latest.current) return;
      latest.current = words;
      s.search(firstChars(words, 500)).then((articles) => latest.current === words && setFound(articles.slice(0, 3)), () => undefined);
    }, PAUSE_MS);
    return () => clearTimeout(handle);
  }, [text, ime.active]);
  return found;
}
