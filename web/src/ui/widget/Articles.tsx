import { useState } from 'preact/hooks';
import type { ArticleHit } from '../../model/types.js';
import { Button } from '../kit/Button.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { Article } from './Article.js';
import { useUi } from './ui.js';

/** One article: its title, and on request its text with "this answers it". */
export function ArticleRow({ article, onSolved }: { article: ArticleHit; onSolved?: (() => void) | undefined }) {
  const { s, t } = useUi();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState(article.text ?? '');
  const [said, setSaid] = useState<boolean | null>(null);
  const toggle = () => {
    setOpen(!open);
    if (text) return;
    s.search(article.title).then((all) => setText(all.find((a) => a.id === article.id)?.text ?? ''), () => undefined);
  };
  const say = (helped: boolean) => {
    setSaid(helped);
    s.helped(article.id, helped);
    if (helped) onSolved?.();
  };
  return (
    <div class="article">
      <button type="button" class="article-title" aria-expanded={open} onClick={toggle}>
        <Icon path={icons.book} size={16} />
        <span dir="auto">{article.title}</span>
        <Icon path={icons.chevronDown} size={16} />
      </button>
      {open && (
        <div class="article-body">
          <Article title={article.title} text={text} />
          {said === null ? (
            <div class="pair">
              <Button small icon={icons.check} onClick={() => say(true)}>{t('article.yes')}</Button>
              <Button small onClick={() => { say(false); setOpen(false); }}>{t('article.no')}</Button>
            </div>
          ) : <p class="soft">{t(said ? 'article.thanks' : 'article.sorry')}</p>}
        </div>
      )}
    </div>
  );
}

export function ArticleList({ articles, onSolved }: { articles: readonly ArticleHit[]; onSolved?: () => void }) {
  const { t } = useUi();
  if (articles.length === 0) return null;
  return (
    <section class="articles" aria-label={t('article.found')}>
      <h3 class="small-head">{t('article.found')}</h3>
      {articles.map((a) => <ArticleRow key={a.id} article={a} onSolved={onSolved} />)}
    </section>
  );
}
