// What is written in a dialog. Closing one discards no text: it stands there again when the same dialog is opened for the same thing, until it is
// sent or cancelled, or the page is left.
import { useState } from 'preact/hooks';
import type { DialogState } from '../../../state/console/dialogs.js';
import type { Desk } from '../../../state/console/desk.js';
import { useDesk } from '../desk.js';

/** The text of one field of the dialog that is open, and what changes it; `start` is what it holds at first. */
export function useText(field: string, start = ''): [string, (text: string) => void] {
  const desk = useDesk();
  const [key] = useState(() => keyOf(desk.dialog.peek()) + field);
  const [text, setText] = useState(desk.written.get(key) ?? start);
  const write = (now: string) => {
    setText(now);
    if (now === start) desk.written.delete(key);
    else desk.written.set(key, now);
  };
  return [text, write];
}

export function forgetTexts(desk: Desk, dialog: DialogState | null): void {
  for (const key of desk.written.keys()) if (key.startsWith(keyOf(dialog))) desk.written.delete(key);
}

const keyOf = (dialog: DialogState | null) => `${JSON.stringify(dialog)}:`;
