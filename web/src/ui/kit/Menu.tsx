import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import { Icon } from './Icon.js';
import { IconButton } from './IconButton.js';

export interface MenuItem {
  text: string;
  run: () => void;
  icon?: string;
  keys?: string;
  disabled?: boolean;
  /** Makes it a choice among others. */
  checked?: boolean;
}

export interface MenuProps {
  /** The button: icon and name. */
  icon: string;
  label: string;
  items: MenuItem[];
  small?: boolean;
  /** Opens upwards; aligned to the start edge instead of the end. */
  up?: boolean;
  start?: boolean;
  children?: ComponentChildren;
}

/** A menu button after the ARIA pattern: arrows, Home, End, first letters by the browser, Esc gives focus back. */
export function Menu({ icon, label, items, small, up, start, children }: MenuProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const wrap = useRef<HTMLDivElement>(null);
  const buttons = () => [...(wrap.current?.querySelectorAll<HTMLButtonElement>('.menu-item:not(:disabled)') ?? [])];
  const opener = () => wrap.current?.querySelector<HTMLButtonElement>('.icon-btn');

  useEffect(() => {
    if (!open) return undefined;
    buttons()[0]?.focus();
    const outside = (e: Event) => !e.composedPath().includes(wrap.current as EventTarget) && setOpen(false);
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [open]);

  const close = () => {
    setOpen(false);
    opener()?.focus();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (!open || ime.owns(e)) return;
    const all = buttons();
    const at = all.indexOf(e.target as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[e.key];
    if (to !== undefined) all[to % all.length]?.focus();
    else if (e.key === 'Escape') close();
    else if (e.key === 'Tab') {
      setOpen(false);
      return;
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="menu-wrap" ref={wrap} onKeyDown={onKeyDown}>
      <IconButton icon={icon} label={label} {...(small ? { small } : {})} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}>{children}</IconButton>
      {open && (
        <ul class={`menu${up ? ' up' : ''}${start ? ' start' : ''}`} role="menu" id={id} aria-label={label}>
          {items.map((item) => (
            <li role="none" key={item.text}>
              <button type="button" class="menu-item" tabIndex={-1} disabled={item.disabled ?? false}
                role={item.checked === undefined ? 'menuitem' : 'menuitemradio'} aria-checked={item.checked}
                onClick={() => { close(); item.run(); }}>
                {item.icon && <Icon path={item.icon} size={18} />}
                {item.text}
                {item.keys && <kbd>{item.keys}</kbd>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
