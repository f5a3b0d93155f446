// The command bar: every act that is possible now, every chat, one line to type in.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { actions } from '../../../actions/desk.js';
import { groupIcons } from '../../../actions/action.js';
import { firstKey } from '../../../actions/keys.js';
import { ime } from '../../../model/ime.js';
import type { Desk } from '../../../state/console/desk.js';
import { stateText } from '../../../state/console/labels.js';
import { matches } from '../../../state/console/lists.js';
import { t } from '../../../state/console/words.js';
import { Icon, icons } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { groupText } from './KeysDialog.js';

interface Hit {
  id: string;
  text: string;
  sub: string;
  icon: string;
  keys?: string;
  run: () => void;
}

const MOST_CHATS = 8;
const plain = (text: string) => text.trim().toLocaleLowerCase();

function actsLike(desk: Desk, query: string): Hit[] {
  const wanted = plain(query);
  return actions
    .filter((a) => a.id !== 'palette' && a.shown?.(desk) !== false && a.enabled(desk))
    .map((a) => ({ id: a.id, text: t(a.label), sub: groupText(a.group), icon: a.icon ?? groupIcons[a.group], ...(firstKey(a) ? { keys: firstKey(a) ?? '' } : {}), run: () => a.run(desk) }))
    .filter((h) => wanted === '' || `${h.text} ${h.sub} ${h.id}`.toLocaleLowerCase().includes(wanted));
}

/** Chats as they are when the bar is drawn: their words don't redraw it. */
function chatsLike(desk: Desk, query: string): Hit[] {
  const wanted = plain(query);
  if (wanted === '') return [];
  return [...desk.views.values()].map((v) => v.row.peek()).filter((r) => matches(r, wanted)).slice(0, MOST_CHATS)
    .map((r) => ({ id: r.chat, text: r.shopper?.name ?? t('guest'), sub: `${stateText(r.state)} · ${r.last?.text ?? ''}`, icon: icons.chat, run: () => desk.show(r.chat) }));
}

export function Palette() {
  const desk = useDesk();
  const [query, setQuery] = useState('');
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const find = (wanted: string) => {
    setQuery(wanted);
    setChosen(null);
  };
  const field = useRef<HTMLInputElement>(null);
  const before = useRef<Element | null>(document.activeElement);
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);

  // What is possible changes while the bar is open: a chat comes back, an offer ends. The chosen line stays chosen wherever it moves.
  const hits = [...chatsLike(desk, query), ...actsLike(desk, query)];
  const at = Math.max(0, hits.findIndex((h) => h.id === chosen));
  const first = hits[at]?.id ?? null;
  useLayoutEffect(() => setChosen(first), [first]); // with the drawing: done after it, it would undo a stroke that came meanwhile
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at]);
  const close = () => {
    desk.dialog.value = null;
    if (before.current instanceof HTMLElement) before.current.focus();
  };
  const run = (hit: Hit | undefined) => {
    if (!hit) return;
    close();
    hit.run();
  };
  const step = (by: number) => setChosen(hits[(at + by + hits.length) % hits.length]?.id ?? null);
  const onKeyDown = (e: KeyboardEvent) => {
    if (ime.owns(e)) return;
    if (e.key === 'Escape') close();
    else if (e.key === 'ArrowDown') step(1);
    else if (e.key === 'ArrowUp') step(-1);
    else if (e.key === 'Enter') run(hits[at]);
    else if (e.key === 'Tab') return e.preventDefault();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="dialog-shade palette-shade" onMouseDown={(e) => e.target === e.currentTarget && close()}>
      <div class="palette" role="dialog" aria-modal="true" aria-label={t('act.palette')}>
        <div class="palette-line">
          <Icon path={icons.search} size={18} />
          <input ref={field} type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-label={t('act.palette')}
            aria-activedescendant={hits[at] ? `hit-${hits[at].id}` : undefined} placeholder={t('palette.hint')} value={text} autocomplete="off" spellcheck={false}
            onInput={(e) => { setText(e.currentTarget.value); if (!ime.active) find(e.currentTarget.value); }} onCompositionEnd={(e) => find(e.currentTarget.value)} onKeyDown={onKeyDown} />
          <kbd>Esc</kbd>
        </div>
        <ul class="palette-list" id="palette-list" role="listbox" ref={list} aria-label={t('palette.list')}>
          {hits.map((h, i) => (
            <li key={h.id} id={`hit-${h.id}`} role="option" aria-selected={i === at} onPointerMove={() => i !== at && setChosen(h.id)} onClick={() => run(h)}>
              <Icon path={h.icon} size={17} /><span class="hit-text" dir="auto">{h.text}</span><span class="hit-sub" dir="auto">{h.sub}</span>{h.keys && <kbd>{h.keys}</kbd>}
            </li>
          ))}
        </ul>
        {hits.length === 0 && <p class="palette-none">{t('palette.none')}</p>}
      </div>
    </div>
  );
}
