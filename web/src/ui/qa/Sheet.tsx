// The scorecard beside the transcript: digits score, X does not apply, C comments; below it the reviews that are stored.
import { useEffect, useRef } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import { i18n, shortWhen, t } from '../../state/console/words.js';
import { MAX_SCORE, previewScore } from '../../state/qa/marks.js';
import type { Criterion, Review } from '../../state/qa/marks.js';
import { Badge, Button, Icon, IconButton, TextArea, icons } from '../kit/index.js';
import { useQa } from './qaContext.js';

function inLang(text: Record<string, string> | string | undefined): string {
  if (text === undefined || typeof text === 'string') return text ?? '';
  return text[i18n.value.lang] ?? text['en'] ?? '';
}

export function Sheet() {
  const qa = useQa();
  const card = qa.card.value;
  return (
    <aside class="qa-sheet" aria-label={t('review.label')}>
      {qa.mayJudge && (card ? <Form /> : <p class="qa-note soft">{t('review.no_card')}</p>)}
      <Stored />
    </aside>
  );
}

function Form() {
  const qa = useQa();
  const card = qa.card.value;
  if (!card) return null;
  const preview = previewScore(qa.sheet.value, card);
  const left = card.criteria.filter((c) => qa.sheet.value.marks[c.id]?.score === undefined).length;
  return (
    <section class="sheet">
      <div class="sheet-head">
        <h2>{inLang(card.title) || t('review.label')}</h2>
        <span class="soft">{t('review.version', { n: card.version })}</span>
        <span class={preview?.failed ? 'sheet-score failed' : 'sheet-score'}>{preview === null ? '–' : preview.failed ? t('review.failed') : `${i18n.value.number(preview.percent)} %`}</span>
      </div>
      <p class="soft">{left > 0 ? t('review.left', { n: left }) : t('review.ready')}</p>
      <ol class="criteria">
        {card.criteria.map((c, i) => <CriterionRow key={c.id} c={c} i={i} />)}
      </ol>
      <TextArea label={t('review.comment')} mark={t('optional')} rows={2} value={qa.sheet.value.comment} dir="auto" maxLength={4000} onInput={(e) => qa.setComment(e.currentTarget.value)} />
      <div role="alert">{qa.error.value && <p class="login-error"><Icon path={icons.alert} size={16} />{qa.error.value}</p>}</div>
      <Button kind="primary" wide disabled={qa.sending.value} onClick={() => void qa.submit()}>{t('review.submit')}<kbd>Ctrl Enter</kbd></Button>
    </section>
  );
}

function CriterionRow({ c, i }: { c: Criterion; i: number }) {
  const qa = useQa();
  const here = qa.criterion.value === i;
  const mark = qa.sheet.value.marks[c.id];
  const help = inLang(c.help);
  const commenting = qa.commenting.value === c.id || Boolean(mark?.comment);
  const row = useRef<HTMLLIElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (here) row.current?.scrollIntoView({ block: 'nearest' });
  }, [here]);
  useEffect(() => {
    if (qa.commenting.value === c.id) field.current?.focus();
  }, [qa.commenting.value]);
  return (
    <li class={here ? 'criterion here' : 'criterion'} ref={row} onFocusCapture={() => (qa.criterion.value = i)} onPointerDown={() => (qa.criterion.value = i)}>
      <fieldset>
        <legend>
          <span class="criterion-title">{inLang(c.title)}</span>
          {c.auto_fail ? <Badge tone="bad">{t('review.auto_fail')}</Badge> : <span class="soft">{t('review.weight', { n: c.weight })}</span>}
        </legend>
        {help && <p class="criterion-help">{help}</p>}
        <div class="scores">
          {Array.from({ length: MAX_SCORE + 1 }, (_, n) => (
            <label key={n} class={mark?.score === n ? 'score on' : 'score'}>
              <input type="radio" name={`score-${c.id}`} checked={mark?.score === n} onChange={() => qa.mark(c.id, { score: n })} />{i18n.value.number(n)}
            </label>
          ))}
          <label class={mark?.score === null ? 'score na on' : 'score na'}>
            <input type="radio" name={`score-${c.id}`} checked={mark?.score === null} onChange={() => qa.mark(c.id, { score: null })} />{t('review.na')}
          </label>
          <IconButton small icon={icons.note} label={t('review.add_comment', { name: inLang(c.title) })} hint="C" aria-expanded={commenting} onClick={() => qa.comment(c.id)} />
        </div>
        {mark?.seq !== undefined && (
          <p class="pinned"><Icon path={icons.pin} size={13} />
            <button type="button" class="link" onClick={() => (qa.selected.value = mark.seq ?? null)}>{t('pin.to', { n: mark.seq })}</button>
            <button type="button" class="link quiet-link" onClick={() => qa.unpin(c.id)}>{t('pin.remove')}</button>
          </p>
        )}
        {commenting && (
          <textarea class="field-input" ref={field} rows={2} value={mark?.comment ?? ''} dir="auto" maxLength={4000} aria-label={t('review.comment_on', { name: inLang(c.title) })} placeholder={t('review.comment_hint')}
            onFocus={() => (qa.commenting.value = c.id)} onInput={(e) => qa.mark(c.id, { comment: e.currentTarget.value })}
            onKeyDown={(e) => {
              if (ime.owns(e) || e.key !== 'Escape') return;
              e.stopPropagation();
              qa.commenting.value = null;
              e.currentTarget.blur();
            }} />
        )}
      </fieldset>
    </li>
  );
}

function Stored() {
  const qa = useQa();
  const here = qa.reviews.value;
  const reviews = here.at === 'here' ? here.value : [];
  return (
    <section class="stored">
      <h2>{t('reviews.title')} {here.at === 'here' && <span class="soft">{i18n.value.number(reviews.length)}</span>}</h2>
      {here.at === 'here' && reviews.length === 0 && <p class="soft">{t('reviews.none')}</p>}
      {here.at === 'failed' && <div class="qa-note"><p>{here.why}</p><Button small icon={icons.refresh} onClick={() => void qa.readReviews(qa.chat.peek())}>{t('retry')}</Button></div>}
      {reviews.map((r) => <StoredReview key={r.id} r={r} />)}
    </section>
  );
}

function StoredReview({ r }: { r: Review }) {
  const qa = useQa();
  const title = (id: string) => inLang(qa.card.value?.criteria.find((c) => c.id === id)?.title) || id;
  return (
    <details class="review">
      <summary>
        <span class={r.auto_failed ? 'sheet-score failed' : 'sheet-score'}>{r.auto_failed ? t('review.failed') : `${i18n.value.number(r.score)} %`}</span>
        <span>{r.reviewer_name || qa.nameOf(r.reviewer)}</span>
        <time class="when" dateTime={new Date(r.at).toISOString()} title={i18n.value.full(r.at)}>{shortWhen(r.at)}</time>
      </summary>
      <dl class="review-marks">
        {r.marks.map((m) => (
          <div key={m.criterion}>
            <dt>{title(m.criterion)}</dt><dd><b>{m.score === null ? t('review.na') : i18n.value.number(m.score)}</b></dd>
            {(m.comment || m.seq !== undefined) && (
              <dd class="review-comment" dir="auto">{m.comment} {m.seq !== undefined && <button type="button" class="link" onClick={() => (qa.selected.value = m.seq ?? null)}>{t('pin.to', { n: m.seq })}</button>}</dd>
            )}
          </div>
        ))}
      </dl>
      {r.comment && <p dir="auto">{r.comment}</p>}
    </details>
  );
}
