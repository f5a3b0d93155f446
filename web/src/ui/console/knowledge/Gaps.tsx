// What was asked and not answered by any article, and articles that don't hold what they promise.
import { useState } from 'preact/hooks';
import { gaps, stale } from '../../../state/console/knowledge.js';
import type { Gap, Stale } from '../../../state/console/knowledge.js';
import { Badge, Button, Icon, icons } from '../../kit/index.js';
import { Waiting, useAsk } from './ask.js';
import { i18n, shortWhen, t } from './words.js';

interface Props {
  onDraft: (gap: Gap) => void;
  onOpen: (article: string) => void;
  onOpenChat?: (chat: string) => void;
}

export function Gaps({ onDraft, onOpen, onOpenChat }: Props) {
  const found = useAsk(gaps, []);
  const old = useAsk(stale, []);
  return (
    <div class="kb-part">
      <section aria-labelledby="kb-gaps">
        <h2 id="kb-gaps">{t('kb.gaps')}</h2>
        <p class="soft">{t('kb.gaps_says')}</p>
        <Waiting asked={found}>
          {(list: Gap[]) => (list.length === 0 ? <div class="kb-none"><Icon path={icons.check} size={26} /><p>{t('kb.no_gaps')}</p></div> : (
            <ul class="kb-gaps">{list.map((g) => <One key={g.question} gap={g} onDraft={() => onDraft(g)} {...(onOpenChat ? { onOpenChat } : {})} />)}</ul>
          ))}
        </Waiting>
      </section>
      <section aria-labelledby="kb-stale">
        <h2 id="kb-stale">{t('kb.stale')}</h2>
        <p class="soft">{t('kb.stale_says')}</p>
        <Waiting asked={old}>{(list: Stale[]) => (list.length === 0 ? <p class="soft">{t('kb.no_stale')}</p> : <StaleTable list={list} onOpen={onOpen} />)}</Waiting>
      </section>
    </div>
  );
}

function One({ gap, onDraft, onOpenChat }: { gap: Gap; onDraft: () => void; onOpenChat?: (chat: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <li class="kb-gap">
      <div class="kb-gap-head">
        <b dir="auto">{gap.question}</b>
        <span class="kb-row-marks">
          <Badge tone="info">{t('kb.asked', { n: gap.count })}</Badge>
          {gap.unhappy > 0 && <Badge tone="bad">{t('kb.unhappy', { n: gap.unhappy })}</Badge>}
          <span class="when" title={i18n.value.full(gap.last)}>{shortWhen(gap.last)}</span>
        </span>
      </div>
      {gap.draft !== undefined && <blockquote dir="auto"><span class="sr">{t('kb.answer')} </span>{gap.draft}</blockquote>}
      <div class="kb-gap-acts">
        <Button small kind="primary" icon={icons.plus} onClick={onDraft}>{t('kb.make')}</Button>
        <Button small kind="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>{t('kb.questions_asked', { n: gap.questions.length })}</Button>
      </div>
      {open && (
        <ul class="kb-asked">
          {gap.questions.map((q) => (
            <li key={`${q.chat}-${q.at}`}>
              <span dir="auto">{q.text}</span>
              {q.rejected && <Badge tone="warn">{t('kb.all_rejected')}</Badge>}
              {q.rating !== undefined && <Badge tone={q.rating <= 2 ? 'bad' : 'good'}>{t('kb.rating', { score: String(q.rating) })}</Badge>}
              {onOpenChat && <button type="button" class="link" onClick={() => onOpenChat(q.chat)}>{t('kb.open_chat')}</button>}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function StaleTable({ list, onOpen }: { list: Stale[]; onOpen: (article: string) => void }) {
  const n = (x: number) => <td class="num">{i18n.value.number(x)}</td>;
  return (
    <div class="grid-wrap">
      <table class="grid">
        <thead><tr><th scope="col">{t('kb.article')}</th><th scope="col" class="num">{t('kb.shown')}</th><th scope="col" class="num">{t('kb.col_used')}</th><th scope="col" class="num">{t('kb.col_rejected')}</th><th scope="col" class="num">{t('kb.low_rated')}</th></tr></thead>
        <tbody>
          {list.map((s) => <tr key={s.article}><th scope="row"><button type="button" class="link" onClick={() => onOpen(s.article)}>{s.article}</button></th>{n(s.shown)}{n(s.used)}{n(s.rejected)}{n(s.low_rated)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}
