// What a search found, newest first, with the matched words in their context.
import type { ComponentChildren } from 'preact';
import { departmentText, stateText } from '../../state/console/labels.js';
import { i18n, t } from '../../state/console/words.js';
import { hasChips, markWords } from '../../state/qa/query.js';
import type { Hit } from '../../state/qa/qa.js';
import { Badge, Button, Icon, Spinner, icons } from '../kit/index.js';
import { marked } from '../console/TextBody.js';
import { useQa } from './qaContext.js';

export function Results() {
  const qa = useQa();
  const hits = qa.hits.value;
  const searched = qa.query.value.q !== '' || hasChips(qa.query.value);
  return (
    <nav class="qa-results" aria-label={t('results.label')}>
      <h2 class="qa-results-head" aria-live="polite">
        {hits.at !== 'here' ? t('results.label') : qa.next.value === null ? t('results.n', { n: hits.value.length }) : t('results.first', { n: hits.value.length })}
        {!searched && <span class="soft">{t('results.newest')}</span>}
      </h2>
      {hits.at === 'loading' && <div class="qa-note"><Spinner label={t('results.loading')} /></div>}
      {hits.at === 'failed' && <Note icon={icons.alert} text={hits.why}><Button small icon={icons.refresh} onClick={() => qa.retry()}>{t('retry')}</Button></Note>}
      {hits.at === 'here' && hits.value.length === 0 && <Note icon={icons.search} text={qa.whyNothing()} />}
      {hits.at === 'here' && hits.value.length > 0 && (
        <ul class="qa-hits">
          {hits.value.map((h) => <Row key={h.chat} hit={h} />)}
        </ul>
      )}
      {qa.next.value !== null && <div class="qa-more"><Button small disabled={qa.loadingMore.value} onClick={() => void qa.more()}>{t('show_more')}</Button></div>}
    </nav>
  );
}

function Note({ icon, text, children }: { icon: string; text: string; children?: ComponentChildren }) {
  return <div class="qa-note"><Icon path={icon} size={22} /><p>{text}</p>{children}</div>;
}

/** Marks of the server's own around what matched, where it sends any, are not shown. */
const plain = (text: string) => text.replace(/<\/?(?:b|mark|em)>|[\u0001-\u0008\u000b-\u001f\ue000-\uf8ff]/g, '');

function Row({ hit }: { hit: Hit }) {
  const qa = useQa();
  const open = qa.chat.value === hit.chat;
  const snippet = hit.snippet ? plain(hit.snippet) : '';
  return (
    <li>
      <button type="button" class="qa-hit" aria-current={open ? 'true' : undefined} onClick={() => qa.open(hit.chat)}>
        <span class="qa-hit-line">
          {hit.owner ? <b dir="auto">{qa.nameOf(hit.owner)}</b> : <b class="soft">{t('results.no_owner')}</b>}
          <time class="when" dateTime={new Date(hit.started).toISOString()} title={i18n.value.full(hit.started)}>{i18n.value.day(hit.started, Date.now())} {i18n.value.time(hit.started)}</time>
        </span>
        <span class="qa-hit-line soft">
          <span>{departmentText(hit.department)} · {t('results.messages', { n: hit.messages })}{hit.ended ? ` · ${i18n.value.span(hit.ended - hit.started)}` : ''}</span>
          <span class="qa-hit-facts">{hit.rating != null && <Rating n={hit.rating} />}<Badge>{stateText(hit.state)}</Badge></span>
        </span>
        {snippet && <span class="qa-snippet" dir="auto">{marked(snippet, markWords(qa.query.value.q, snippet))}</span>}
      </button>
    </li>
  );
}

export function Rating({ n }: { n: number }) {
  return (
    <span class={n <= 2 ? 'rating low' : 'rating'}>
      <Icon path={icons.star} size={13} fill /><span class="sr">{t('rating.label')} </span>{t('rating.of', { n })}
    </span>
  );
}
