// Keys: 'a', '?', 'mod+k' (Ctrl, on a Mac ⌘), 'alt+arrowdown', and two in a row: 'g q'.
import { ime } from '../model/ime.js';
import type { Desk } from '../state/console/desk.js';
import { settings } from '../state/console/settings.js';
import type { Action } from './action.js';

const isMac = typeof navigator !== 'undefined' && /Mac|iP(hone|ad)/.test(navigator.platform);
const SEQUENCE_MS = 1_200;

function pressed(e: KeyboardEvent): string {
  const mod = isMac ? e.metaKey : e.ctrlKey;
  const key = e.key.toLowerCase();
  return `${mod ? 'mod+' : ''}${e.altKey ? 'alt+' : ''}${key}`;
}

/** Whether a key typed here is text. */
export function isTextField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(target.type);
}

export function showKey(key: string): string {
  const names: Record<string, string> = { mod: isMac ? '⌘' : 'Ctrl', alt: isMac ? '⌥' : 'Alt', arrowdown: '↓', arrowup: '↑', enter: 'Enter', escape: 'Esc' };
  return key.split(' ').map((step) => step.split('+').map((k) => names[k] ?? k.toUpperCase()).join(' ')).join(' · ');
}

export function firstKey(action: Action): string | undefined {
  return action.keys?.[0] === undefined ? undefined : showKey(action.keys[0]);
}

/** For aria-keyshortcuts. */
export function ariaKeys(action: Action): string | undefined {
  const names: Record<string, string> = { mod: isMac ? 'Meta' : 'Control', alt: 'Alt', arrowdown: 'ArrowDown', arrowup: 'ArrowUp', enter: 'Enter' };
  const plain = action.keys?.filter((k) => !k.includes(' '));
  return plain?.length ? plain.map((k) => k.split('+').map((p) => names[p] ?? p.toUpperCase()).join('+')).join(' ') : undefined;
}

/** Runs the action of a key; returns what stops listening. */
export function followKeys(target: Document, desk: () => Desk | null, actions: readonly Action[]): () => void {
  let first = '';
  let firstAt = 0;
  const onKey = (e: KeyboardEvent) => {
    const d = desk();
    if (!d || e.defaultPrevented || ime.owns(e)) return;
    const key = pressed(e);
    if (key === 'escape' && d.dialog.peek() !== null) {
      d.dialog.value = null; // the focus was outside of it
      e.preventDefault();
      return;
    }
    const modified = key.includes('mod+') || key.includes('alt+');
    const inText = isTextField(e.target);
    if (!modified && (inText || !settings.value.letterKeys || e.ctrlKey || e.metaKey)) return;
    const layered = d.dialog.peek() !== null || (e.target instanceof Element && e.target.closest('[role=menu],[role=dialog]') !== null);
    const pair = first !== '' && Date.now() - firstAt < SEQUENCE_MS ? `${first} ${key}` : key;
    const actOf = (keys: string) => actions.find((a) => a.keys?.includes(keys) && (!inText || a.anywhere) && (a.shown?.(d) ?? true));
    const hit = actOf(pair) ?? actOf(key);
    first = '';
    if (hit && layered && hit.id !== 'palette') return;
    if (hit) {
      if (!hit.enabled(d)) return;
      e.preventDefault();
      if (!e.repeat || hit.repeats) hit.run(d);
    } else if (!layered && actions.some((a) => a.keys?.some((k) => k.startsWith(`${key} `)))) {
      first = key;
      firstAt = Date.now();
    }
  };
  target.addEventListener('keydown', onKey);
  return () => target.removeEventListener('keydown', onKey);
}
