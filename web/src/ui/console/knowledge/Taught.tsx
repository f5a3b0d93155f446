// Who taught what: verdicts on suggestions, newest first, each of which can be taken back.
import { useState } from 'preact/hooks';
import { taught, undo } from '../../../state/console/knowledge.js';
import type { Taught, TaughtList as List } from '../../../state/console/knowledge.js';
import { Badge, Button, Icon, icons } from '../../kit/index.js';
import type { Tone } from '../../kit/index.js';
import { Waiting, errorText, useAsk } from './ask.js';
import { i18n, shortWhen, t } from './words.js';

const tones: Record<Taught['verdict'], Tone> = { used: 'good', edited: 'info', rejected: 'bad' };

export function TaughtList({ article, onOpen }: { article: string; onOpen?: (article: string) => void }) {
  const [pages, setPages] = useState(1);
  const asked = useAsk(() => taught(article, pages), [article, pages]);
  const [said, setSaid] = useState<string | null>(null);
  const takeBack = (id: string) => void undo(id).then(() => { setSaid(t('kb.undone')); asked.again(); }, (e: unknown) => setSaid(errorText(e)));
  return (
    <section class="kb-part" aria-labelledby="kb-taught">
      <h2 id="kb-taught">{t('kb.tab.taught')}</h2>
      <p class="soft">{t('kb.taught_says')}</p>
      <p class="kb-saved" role="status">{said ?? ''}</p>
      <Waiting asked={asked}>
        {({ items: list, next }: List) => (list.length === 0 ? <div class="kb-none"><Icon path={icons.users} size={26} /><p>{t('kb.no_taught')}</p></div> : (
          <>
            <ul class="kb-taught">
              {list.map((x) => (
                <li key={x.id} class={x.undone ? 'undone' : ''}>
                  <div class="kb-taught-what">
                    <b dir="auto">{x.question || '–'}</b>
                    <span class="kb-row-sub">
                      <Badge tone={tones[x.verdict]}>{t(`kb.verdict.${x.verdict}`)}</Badge>
                      {onOpen ? <button type="button" class="link" onClick={() => onOpen(x.article)}>{x.article}</button> : <code>{x.article}</code>}
                      <span>{x.by.name}</span><span class="when" title={i18n.value.full(x.at)}>{shortWhen(x.at)}</span>
                    </span>
                  </div>
                  {x.undone ? <span class="soft">{t('kb.undone_by', { name: x.undone.by.name ?? '', time: shortWhen(x.undone.at) })}</span>
                    : <Button small icon={icons.reply} onClick={() => takeBack(x.id)}>{t('kb.undo')}</Button>}
                </li>
              ))}
            </ul>
            {next !== null && <Button small onClick={() => setPages(pages + 1)}>{t('kb.more')}</Button>}
          </>
        ))}
      </Waiting>
    </section>
  );
}
