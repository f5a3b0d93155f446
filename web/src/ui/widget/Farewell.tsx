// The end of a chat: rating, summary, transcript, the way back.
import { useState } from 'preact/hooks';
import { Refusal } from '../../model/types.js';
import { Button } from '../kit/Button.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { transcript } from './transcript.js';
import { useUi } from './ui.js';

function Rating() {
  const { s, t } = useUi();
  const { score = 0, comment = '' } = s.kept;
  const [error, setError] = useState('');
  const send = () => {
    setError('');
    s.act({ t: 'chat.rate', score, ...(comment.trim() ? { comment: comment.trim() } : {}), ...(s.chatId ? { chat: s.chatId } : {}) })
      .catch((e: unknown) => setError(t(`error.${e instanceof Refusal ? e.code : 'internal'}`)));
  };
  return (
    <fieldset class="rate">
      <legend class="ask-head">{t('rate.ask')}</legend>
      <div class="stars">
        {[1, 2, 3, 4, 5].map((n) => (
          <label class={n <= score ? 'star on' : 'star'} key={n} title={t(`rate.${n}`)}>
            <input type="radio" name="score" class="sr" value={n} checked={n === score} aria-label={t(`rate.${n}`)} onChange={() => s.keep({ score: n })} />
            <Icon path={icons.star} size={30} fill={n <= score} />
          </label>
        ))}
      </div>
      {score > 0 && (
        <>
          <p class="soft" aria-hidden="true">{t(`rate.${score}`)}</p>
          <textarea class="field-input" rows={2} maxLength={1000} aria-label={t('rate.comment')} placeholder={t('rate.comment')} value={comment}
            onInput={(e) => s.keep({ comment: e.currentTarget.value })} />
          <Button kind="primary" wide onClick={send}>{t('rate.send')}</Button>
        </>
      )}
      {error && <p class="field-error" role="alert">{error}</p>}
    </fieldset>
  );
}

/** Seen off: the answer's summary, the rating, the transcript and the way back. */
export function Farewell({ title }: { title: string }) {
  const { s, i, t } = useUi();
  const { case: c } = s;
  const gone = c.state === 'abandoned';
  const save = () => {
    const text = transcript(s.log?.entries ?? [], title, i);
    const a = document.createElement('a');
    a.href = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
    a.download = `${t('bye.file')}-${new Date(s.now).toISOString().slice(0, 10)}.txt`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
  };
  return (
    <section class="ask bye" aria-label={t('bye.title')}>
      <p class="ask-head">{t(gone ? 'bye.gone' : 'bye.title')}</p>
      {c.summary && <p class="soft summary" dir="auto">{c.summary}</p>}
      {!gone && !c.rated && c.owner && <Rating />}
      {c.rated && <p class="thanks" role="status"><Icon path={icons.heart} size={16} />{t('rate.thanks')}</p>}
      {c.owner && c.returnMs > 0 && <p class="soft">{t('bye.back', { span: i.span(c.returnMs), name: c.owner.name ?? t('somebody') })}</p>}
      <div class="pair even">
        <Button small kind={c.rated || gone ? 'primary' : 'plain'} icon={icons.chat} onClick={() => s.leaveChat()}>{t('bye.again')}</Button>
        <Button small icon={icons.download} onClick={save}>{t('bye.save')}</Button>
      </div>
    </section>
  );
}
