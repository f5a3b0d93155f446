// The knowledge base for its editors: articles, gaps, what was taught, synonyms.
import { useState } from 'preact/hooks';
import type { Draft } from '../../../state/console/knowledge.js';
import { draftOfGap, writing } from '../../../state/console/knowledge.js';
import { Icon, Spinner, icons } from '../../kit/index.js';
import { Articles } from './Articles.js';
import { Editor } from './Editor.js';
import { Gaps } from './Gaps.js';
import { Synonyms } from './Synonyms.js';
import { TaughtList } from './Taught.js';
import { hasWords, i18n, t } from './words.js';

const tabs = ['articles', 'gaps', 'taught', 'synonyms'] as const;
type Tab = (typeof tabs)[number];
const tabIcons: Record<Tab, string> = { articles: icons.book, gaps: icons.flag, taught: icons.users, synonyms: icons.tag };

interface Props {
  /** Opens a chat where the face has chats. */
  onOpenChat?: (chat: string) => void;
}

export function Knowledge({ onOpenChat }: Props) {
  const [tab, setTab] = useState<Tab>('articles');
  /** What is being written: an article's id, or a draft that is none yet. */
  const [editing, setEditing] = useState(writing.what);
  if (!hasWords()) return <main class="kb" id="conversation" tabIndex={-1}><Spinner label={i18n.value.t('loading')} /></main>;
  const open = (what: string | Draft | null) => {
    writing.what = what;
    writing.draft = null;
    setEditing(what);
  };
  return (
    <main class="kb" id="conversation" tabIndex={-1}>
      {editing !== null
        ? <Editor key={typeof editing === 'string' ? editing : 'new'} what={editing} onClose={() => open(null)} />
        : (
          <>
            <header class="kb-head">
              <h1>{t('kb.title')}</h1>
              <nav class="kb-tabs" aria-label={t('kb.title')}>
                {tabs.map((x) => (
                  <button key={x} type="button" aria-current={x === tab ? 'page' : undefined} onClick={() => setTab(x)}><Icon path={tabIcons[x]} size={15} />{t(`kb.tab.${x}`)}</button>
                ))}
              </nav>
            </header>
            {tab === 'articles' && <Articles onOpen={open} />}
            {tab === 'gaps' && <Gaps onDraft={(gap) => open(draftOfGap(gap))} onOpen={open} {...(onOpenChat ? { onOpenChat } : {})} />}
            {tab === 'taught' && <TaughtList article="" onOpen={open} />}
            {tab === 'synonyms' && <Synonyms />}
          </>
        )}
    </main>
  );
}
