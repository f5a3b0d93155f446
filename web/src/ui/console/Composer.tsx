// Writing a reply or a note. The text is a draft of its chat and mode until the server has it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { note, reply, takeBack, whisper } from '../../actions/chat.js';
import { isBlank } from '../../model/text.js';
import { ime } from '../../model/ime.js';
import { TypingTeller, insertCanned, insertSuggestion, mayReply, sendDraft, toFillIn } from '../../state/console/compose.js';
import type { Mode } from '../../state/console/drafts.js';
import { settings } from '../../state/console/settings.js';
import type { ChatView } from '../../state/console/view.js';
import { i18n, t } from '../../state/console/words.js';
import { Button, Icon, icons } from '../kit/index.js';
import { Act, useDesk } from './desk.js';
import { ReplyPicker } from './ReplyPicker.js';
import type { Pick } from './ReplyPicker.js';

const LIMIT = 4_000;
const COUNT_FROM = 3_200;
const TALLEST_PX = 220;

const modeIcon: Record<Mode, string> = { reply: icons.reply, note: icons.note, whisper: icons.lock };

export function Composer({ view }: { view: ChatView }) {
  const desk = useDesk();
  const mode = desk.mode.value === 'whisper' && !desk.isLead ? 'note' : desk.mode.value;
  const draft = desk.drafts.of(view.chat, mode);
  const text = draft.value.text;
  const row = view.row.value;
  const allowed = mode === 'reply' ? mayReply(row, desk.me.id) : ({ may: true } as const);
  const area = useRef<HTMLTextAreaElement>(null);
  const typing = useMemo(() => new TypingTeller(desk), [desk]);
  const [picked, setPicked] = useState<{ chat: string; fits: boolean } | null>(null);
  const picking = picked?.chat === view.chat && mode === 'reply' && allowed.may;
  const choosing = picking && picked.fits;
  const length = text.length > COUNT_FROM ? [...text].length : 0;
  const name = row.shopper?.name ?? t('guest');
  const lang = row.shopper?.locale ?? i18n.value.lang;
  const blank = mode === 'reply' ? toFillIn(draft.value) : null;
  const marks = useRef(false);

  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = 'auto';
    el.style.height = `${Math.min(TALLEST_PX, el.scrollHeight + 2)}px`;
    if (marks.current && blank) el.setSelectionRange(blank.from, blank.to);
    marks.current = false;
  }, [text, mode, view]);
  useEffect(() => () => typing.stop(), [view, mode]);

  const write = (value: string) => {
    const { article, canned } = draft.peek();
    desk.drafts.set(view.chat, mode, { text: value, ...(article && value !== '' ? { article } : {}), ...(canned && value !== '' ? { canned } : {}) });
    if (!ime.active) typing.wrote(view.chat, mode, value.trim() === '');
    if (mode !== 'reply' || !value.startsWith('/') || value.includes('\n')) setPicked(null);
    else if (!picking) setPicked({ chat: view.chat, fits: true });
  };
  const send = () => {
    if (!allowed.may || length > LIMIT || choosing) return;
    if (blank) {
      area.current?.focus();
      area.current?.setSelectionRange(blank.from, blank.to); // what is typed next stands in its place
      return;
    }
    typing.stop();
    sendDraft(desk, view.chat, mode);
    setPicked(null);
    area.current?.focus();
  };
  const pick = (picked: Pick) => {
    if ('canned' in picked) insertCanned(desk, view.row.peek(), picked.canned, lang);
    else insertSuggestion(desk, view.chat, picked.article, 'over');
    marks.current = true;
    setPicked(null);
    area.current?.focus();
  };
  /** Ctrl Z right after an article came in: what stood there before. */
  const undoInsert = (): boolean => {
    const { before } = draft.peek();
    if (mode !== 'reply' || !allowed.may || before === undefined) return false;
    desk.drafts.set(view.chat, 'reply', { text: before });
    return true;
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (ime.owns(e)) return;
    if (e.key === 'Escape') {
      if (choosing) setPicked(null);
      else area.current?.blur();
      e.stopPropagation();
      return;
    }
    if (e.key.toLowerCase() === 'z' && (e.ctrlKey || e.metaKey) && !e.shiftKey && undoInsert()) {
      e.preventDefault();
      return;
    }
    if (e.key !== 'Enter') return;
    if (choosing) {
      e.preventDefault(); // it is still searched
      return;
    }
    if (e.altKey) {
      const marked = view.suggestions.peek()[0];
      if (!marked || mode !== 'reply' || !allowed.may) return;
      e.preventDefault();
      insertSuggestion(desk, view.chat, marked);
      return;
    }
    const mod = e.ctrlKey || e.metaKey;
    if (e.shiftKey || (!settings.value.enterSends && !mod)) return;
    e.preventDefault();
    send();
  };

  return (
    <section class={`composer ${mode}`} aria-label={t('composer.label')}>
      <div class="composer-top">
        <div class="modes" role="group" aria-label={t('composer.mode')}>
          <ModeButton mode="reply" now={mode} onPick={() => reply.run(desk)} text={t('composer.reply')} keys="R" />
          <ModeButton mode="note" now={mode} onPick={() => note.run(desk)} text={t('composer.note')} keys="N" />
          {desk.isLead && whisper.enabled(desk) && <ModeButton mode="whisper" now={mode} onPick={() => whisper.run(desk)} text={t('composer.whisper')} keys="W" />}
        </div>
        <span class="composer-says">
          {mode !== 'reply' ? <><Icon path={icons.lock} size={13} />{mode === 'note' ? t('composer.note_says') : t('composer.whisper_says')}</>
            : blank ? <span class="composer-blank" role="status">{t('composer.fill', { what: text.slice(blank.from, blank.to) })}</span>
            : allowed.may && row.handler === null ? t('composer.claims') : null}
        </span>
        {length > 0 && <span class={length > LIMIT ? 'composer-count over' : 'composer-count'}>{i18n.value.number(length)} / {i18n.value.number(LIMIT)}</span>}
      </div>
      {!allowed.may && (
        <div class="composer-bar" role="note">
          <Icon path={icons.lock} size={16} />
          <span>{allowed.why === 'over' ? t('composer.over') : allowed.why === 'handler' ? t('composer.handler', { name: desk.nameOf(row.handler?.id, row.handler?.name) }) : t('composer.nobody')}</span>
          <Button small icon={icons.note} onClick={() => note.run(desk)}>{t('composer.leave_note')}</Button>
          <Act action={takeBack} small hide />
        </div>
      )}
      <div class="composer-box">
        <textarea id="composer" ref={area} rows={1} value={text} dir="auto" readOnly={!allowed.may} aria-disabled={!allowed.may} enterkeyhint="send"
          aria-label={mode === 'reply' ? t('composer.to', { name }) : mode === 'note' ? t('composer.to_note') : t('composer.to_whisper')}
          placeholder={mode === 'reply' ? t('composer.to', { name }) : mode === 'note' ? t('composer.to_note') : t('composer.to_whisper')}
          onInput={(e) => write(e.currentTarget.value)} onKeyDown={onKeyDown}
          onCompositionEnd={(e) => typing.wrote(view.chat, mode, e.currentTarget.value.trim() === '')}
          {...(choosing ? { 'aria-controls': 'reply-picker', 'aria-autocomplete': 'list' as const } : {})} />
        <Button kind="primary" icon={modeIcon[mode] === icons.reply ? icons.send : (modeIcon[mode] ?? icons.send)} disabled={!allowed.may || isBlank(text) || length > LIMIT || choosing}
          onMouseDown={(e) => e.preventDefault()} onClick={send}>
          {mode === 'reply' ? t('send') : mode === 'note' ? t('composer.add_note') : t('composer.add_whisper')}
        </Button>
        {picking && <ReplyPicker query={text.slice(1)} lang={lang} onPick={pick} onFound={(fits) => setPicked({ chat: view.chat, fits })} onClose={() => setPicked(null)} field={area} />}
      </div>
      <p class="composer-hint">
        {settings.value.enterSends ? t('composer.hint_enter') : t('composer.hint_ctrl')}
        {' · '}{mode === 'reply' ? t('composer.hint_slash') : t('composer.hint_mention')}
      </p>
    </section>
  );
}

function ModeButton({ mode, now, onPick, text, keys }: { mode: Mode; now: Mode; onPick: () => void; text: string; keys: string }) {
  return (
    <button type="button" class={`mode ${mode}`} aria-pressed={mode === now} title={`${text} (${keys})`} onClick={onPick}>
      <Icon path={modeIcon[mode]} size={15} />{text}
    </button>
  );
}
