import { Button } from './Button.js';
import { IconButton } from './IconButton.js';
import * as icons from './icons.js';

export interface ToastItem {
  id: string;
  text: string;
  bad?: boolean;
  /** E.g. undo. */
  act?: { text: string; run: () => void };
}

/** Short notices at the bottom. The caller keeps the list and its times (6 s; one with an act stays 10 s). */
export function Toasts({ items, closeLabel, onClose }: { items: ToastItem[]; closeLabel: string; onClose: (id: string) => void }) {
  return (
    <div class="toasts" role="status">
      {items.map((toast) => (
        <div class={toast.bad ? 'toast bad' : 'toast'} key={toast.id}>
          <span>{toast.text}</span>
          {toast.act && <Button kind="quiet" small onClick={() => { toast.act?.run(); onClose(toast.id); }}>{toast.act.text}</Button>}
          <IconButton icon={icons.close} label={closeLabel} small onClick={() => onClose(toast.id)} />
        </div>
      ))}
    </div>
  );
}
