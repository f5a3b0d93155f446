// A dialog that carries out one command: fields, the refusal in words, text kept until it is done.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ime } from '../../../model/ime.js';
import { makeId } from '../../../model/ids.js';
import { Refusal } from '../../../model/types.js';
import type { Draft as Command, ServerOk } from '../../../model/types.js';
import { refusalText } from '../../../state/console/refusals.js';
import { t } from '../../../state/console/words.js';
import { Button, Dialog, Icon, icons } from '../../kit/index.js';
import { useDesk } from '../desk.js';
import { forgetTexts } from './useText.js';

interface Props {
  title: string;
  submit: string;
  /** Null while something is missing. */
  command: Command | null;
  onDone: (ok: ServerOk) => void;
  /** Says a refusal better than its code does. */
  explain?: (refusal: Refusal) => string | null;
  wide?: boolean;
  danger?: boolean;
  children: ComponentChildren;
}

export function ActDialog({ title, submit, command, onDone, explain, wide, danger, children }: Props) {
  const desk = useDesk();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  // One id for every try with the same content: a repeat has no second effect.
  const tried = useRef({ content: '', id: '' });
  const close = () => (desk.dialog.value = null);
  const send = async () => {
    if (!command || busy) return;
    const content = JSON.stringify(command);
    if (tried.current.content !== content) tried.current = { content, id: makeId() };
    setBusy(true);
    setError('');
    const own = desk.dialog.peek();
    const isOpen = () => desk.dialog.peek() === own; // by the answer it may be closed, and another one open
    try {
      const ok = await desk.act({ ...command, id: tried.current.id });
      forgetTexts(desk, own);
      if (isOpen()) close();
      onDone(ok);
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      const why = explain?.(failure) ?? refusalText(failure);
      if (!isOpen()) desk.toasts.bad(why);
      setError(why);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} closeLabel={t('close')} onClose={close} {...(wide ? { wide } : {})}
      foot={<>
        <Button onClick={() => { forgetTexts(desk, desk.dialog.peek()); close(); }}>{t('cancel')}</Button>
        <Button kind={danger ? 'danger' : 'primary'} disabled={!command || busy} onClick={() => void send()}>{submit}</Button>
      </>}>
      <form class="dialog-form" onSubmit={(e) => { e.preventDefault(); void send(); }}
        onKeyDown={(e) => {
          if (e.key !== 'Enter' || ime.owns(e) || !(e.ctrlKey || e.metaKey)) return;
          e.preventDefault();
          void send();
        }}>
        {children}
        <button type="submit" hidden tabIndex={-1} />
      </form>
      <div role="alert">{error && <p class="dialog-error"><Icon path={icons.alert} size={16} />{error}</p>}</div>
    </Dialog>
  );
}
