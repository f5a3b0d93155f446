import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isBlank } from '../../model/text.js';
import { ime } from '../../model/ime.js';
import { Icon } from '../kit/Icon.js';
import * as icons from '../kit/icons.js';
import { TEXT_CHARS, countChars } from './limits.js';
import { useUi } from './ui.js';

/** Where the shopper writes. Nothing disables it: without a connection a message waits in the outbox. */
export function Composer() {
  const { s, i, t } = useUi();
  const box = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(s.draft);
  const over = countChars(text) - TEXT_CHARS;

  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, 132)}px`;
  }, [text]);

  const change = (value: string) => {
    setText(value);
    s.setDraft(value);
  };
  const send = () => {
    const words = text.trim();
    if (isBlank(words) || over > 0) return;
    s.send(words);
    setText('');
    box.current?.focus(); // the keyboard of a phone stays open
  };

  return (
    <form class="composer" onSubmit={(e) => { e.preventDefault(); send(); }}>
      <textarea ref={box} class="composer-text" rows={1} dir="auto" value={text} aria-label={t('composer.label')} placeholder={t('composer.placeholder')}
        enterkeyhint="send" aria-invalid={over > 0 ? 'true' : undefined}
        onInput={(e) => change(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key !== 'Enter' || e.shiftKey || e.altKey || ime.owns(e)) return;
          e.preventDefault();
          send();
        }} />
      <button type="submit" class="send" aria-label={t('send')} title={t('send')} disabled={isBlank(text) || over > 0} onMouseDown={(e) => e.preventDefault()}>
        <Icon path={icons.arrowUp} size={20} />
      </button>
      {over > -200 && <p class={over > 0 ? 'count bad' : 'count'} role={over > 0 ? 'alert' : undefined}>
        {over > 0 ? t('composer.too_long', { n: over }) : i.number(-over)}
      </p>}
      {s.welcome?.site?.preview && <p class="count">{t('composer.preview')}</p>}
    </form>
  );
}
