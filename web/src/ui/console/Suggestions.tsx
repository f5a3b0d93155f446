// The best articles for what the shopper asks: confidence and source, one key inserts one as an editable draft.
import { useState } from 'preact/hooks';
import { isHandler, insertSuggestion, rejectSuggestion } from '../../state/console/compose.js';
import { focusComposer } from '../../actions/chat.js';
import type { ArticleHit } from '../../model/types.js';
import type { ChatView } from '../../state/console/view.js';
import { t } from '../../state/console/words.js';
import { IconButton, icons } from '../kit/index.js';
import { useDesk } from './desk.js';

export function Suggestions({ view }: { view: ChatView }) {
  const desk = useDesk();
  const articles = view.suggestions.value;
  if (articles.length === 0 || !isHandler(view.row.value, desk.me.id) || desk.mode.value !== 'reply') return null;
  return (
    <section class="suggestions" aria-label={t('suggest.label')}>
      {view.forTyping.value && <p class="suggestions-typing">{t('suggest.typing')}</p>}
      {articles.map((a, i) => (
        <Suggestion key={a.id} n={i + 1} article={a}
          onUse={() => { insertSuggestion(desk, view.chat, a); focusComposer(); }}
          onReject={() => rejectSuggestion(desk, view.chat, a)} />
      ))}
    </section>
  );
}

function Suggestion({ n, article, onUse, onReject }: { n: number; article: ArticleHit; onUse: () => void; onReject: () => void }) {
  const [open, setOpen] = useState(false);
  const percent = Math.round((article.confidence ?? 0) * 100);
  const sure = percent >= 75 ? t('suggest.sure') : percent >= 50 ? t('suggest.likely') : t('suggest.maybe');
  return (
    <div class={open ? 'suggestion open' : 'suggestion'}>
      <button type="button" class="suggestion-use" onClick={onUse} aria-keyshortcuts={String(n)} title={t('suggest.insert')}>
        <kbd>{n}</kbd>
        <span class="suggestion-title" dir="auto">{article.title}</span>
        <span class={percent >= 75 ? 'sure high' : percent >= 50 ? 'sure' : 'sure low'} title={t('suggest.confidence')}>
          <meter min={0} max={100} value={percent} aria-hidden="true" />
          {sure} {percent} %
        </span>
        <span class="suggestion-id">{article.id}</span>
      </button>
      {article.text && <IconButton small icon={open ? icons.chevronDown : icons.chevronRight} label={open ? t('suggest.less') : t('suggest.more')} aria-expanded={open} onClick={() => setOpen(!open)} />}
      <IconButton small icon={icons.close} label={t('suggest.reject', { title: article.title })} onClick={onReject} />
      {open && <div class="suggestion-text" dir="auto">{article.text}</div>}
    </div>
  );
}
