import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import { trapTab } from '../kit/focus.js';
import { Icon } from '../kit/Icon.js';
import { IconButton } from '../kit/IconButton.js';
import * as icons from '../kit/icons.js';
import { Avatar, Spinner } from '../kit/small.js';
import { PreChat } from './PreChat.js';
import { UiContext, useUi } from './ui.js';
import type { Form, Ui } from './ui.js';

export interface PanelProps extends Omit<Ui, 'setForm'> {
  phone: boolean;
}

/** The whole panel: header, what the state asks for, notices. */
export function Panel({ phone, ...rest }: PanelProps) {
  const { s, t, close } = rest;
  const form = s.kept.form ?? null;
  const setForm = (to: Form) => s.keep({ form: to });
  const [solved, setSolved] = useState(false);
  const [, redraw] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  // Before the next message can arrive: an effect after painting would miss a quick welcome.
  useLayoutEffect(() => s.subscribe(() => redraw((n) => n + 1)), [s]);
  useEffect(() => (phone && box.current ? trapTab(box.current) : undefined), [phone]);
  const wanted = screenOf(s, form, solved);
  const part = wanted === 'load' || wanted === 'pre' ? null : rest.later();
  const screen = part || wanted === 'pre' ? wanted : 'load';
  useEffect(() => focusFirst(box.current), [screen]);
  // What had the focus may be gone now (a form that was sent, a question that was answered): Escape and Tab go on working.
  const held = useRef<HTMLElement | null>(null);
  const drawing = useRef(false);
  drawing.current = true;
  useLayoutEffect(() => {
    drawing.current = false;
    const root = box.current?.getRootNode() as ShadowRoot | undefined;
    if (held.current && !held.current.isConnected && !root?.activeElement) focusFirst(box.current);
  });

  return (
    <UiContext.Provider value={{ ...rest, setForm }}>
      <div class="panel" role="dialog" aria-label={t('title', { name: s.welcome?.site?.name ?? '' })} aria-modal={phone ? 'true' : undefined} tabIndex={-1} ref={box}
        onFocusIn={(e) => { held.current = e.target as HTMLElement; }} onFocusOut={() => { if (!drawing.current) held.current = null; }}
        onKeyDown={(e) => {
          if (e.key !== 'Escape' || ime.owns(e)) return;
          e.stopPropagation();
          if (form && s.welcome?.open !== false) setForm(null);
          else close();
        }}>
        <Header />
        {s.trouble && <p class="trouble" role="status"><span class="spinner" aria-hidden="true" />{t('reconnecting')}</p>}
        {!s.trouble && s.chats === 'stopped' && <p class="trouble" role="status"><Icon path={icons.alert} size={16} />{t('health.stopped')}</p>}
        {!s.trouble && s.chats === 'no_new' && !s.isServed && <p class="trouble" role="status"><Icon path={icons.alert} size={16} />{t('health.no_new')}</p>}
        {screen === 'load' && <div class="scroll center"><Spinner label={t('loading')} /><p class="soft">{t('loading')}</p></div>}
        {screen === 'solved' && part && <part.Solved onBack={() => setSolved(false)} />}
        {screen === 'pre' && <PreChat key={s.takenBack} onSolved={() => { s.setDraft(''); setSolved(true); }} />}
        {screen === 'closed' && part && <part.Leave key={form} kind={form ?? 'message'} closed />}
        {screen === 'form' && part && form && <part.Leave key={form} kind={form} onBack={() => setForm(null)} />}
        {screen === 'chat' && part && <part.Chat />}
      </div>
    </UiContext.Provider>
  );
}

type Screen = 'load' | 'pre' | 'solved' | 'closed' | 'form' | 'chat';

function screenOf(s: Ui['s'], form: Form, solved: boolean): Screen {
  const inChat = s.log !== null || s.sending.length > 0;
  if (!s.welcome && !inChat) return 'load';
  if (!inChat && s.welcome?.open === false) return 'closed';
  if (form) return 'form';
  if (inChat) return 'chat';
  return solved ? 'solved' : 'pre';
}

/** On opening and on a new screen: the box to write in, or the panel itself. On phones the keyboard would cover the greeting. */
function focusFirst(box: HTMLElement | null): void {
  if (!box) return;
  const coarse = window.matchMedia('(pointer: coarse)').matches;
  const target = coarse ? null : box.querySelector<HTMLElement>('.composer-text, form textarea, form input');
  (target ?? box).focus({ preventScroll: true });
}

/** Says at once who is responsible. */
function Header() {
  const { s, t, close } = useUi();
  const { owner, handler, state } = s.case;
  const site = s.welcome?.site?.name ?? '';
  const person = s.log ? (handler ?? owner) : null;
  const name = person?.name ?? '';
  const status = !s.log ? t(s.welcome?.open === false ? 'head.closed' : s.welcome ? 'head.open' : 'loading')
    : s.isOver ? t('head.over')
    : owner && handler && owner.id !== handler.id ? t('head.deputy', { owner: owner.name ?? '' })
    : owner ? t(handler ? 'head.owner' : 'head.owner_away')
    : state === 'waiting' || !handler ? t('head.waiting') : t('head.assigned');
  return (
    <header class="head">
      {person ? <Avatar name={name} /> : <span class="mark"><Icon path={icons.chat} size={20} /></span>}
      <div class="head-text">
        <h1 dir="auto">{name || site || t('title', { name: '' })}</h1>
        <p>{status}</p>
      </div>
      <IconButton icon={icons.chevronDown} label={t('minimize')} onClick={close} />
    </header>
  );
}
