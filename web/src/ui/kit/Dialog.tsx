import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import { keepFocus } from './focus.js';
import { IconButton } from './IconButton.js';
import * as icons from './icons.js';

export interface DialogProps {
  title: string;
  closeLabel: string;
  onClose: () => void;
  wide?: boolean;
  /** Buttons at the bottom. */
  foot?: ComponentChildren;
  children: ComponentChildren;
}

/** Modal: focus goes in (to [autofocus], else the first control), is kept and given back; Esc and the shade close it. */
export function Dialog({ title, closeLabel, onClose, wide, foot, children }: DialogProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => (box.current ? keepFocus(box.current) : undefined), []);
  return (
    <div class="dialog-shade" onMouseDown={(e) => e.target === e.currentTarget && onClose()}
      onKeyDown={(e) => {
        if (e.key !== 'Escape' || ime.owns(e)) return;
        e.stopPropagation();
        onClose();
      }}>
      <div class={wide ? 'dialog wide' : 'dialog'} role="dialog" aria-modal="true" aria-labelledby={id} ref={box} tabIndex={-1}>
        <div class="dialog-head">
          <h2 class="dialog-title" id={id}>{title}</h2>
          <IconButton icon={icons.close} label={closeLabel} onClick={onClose} />
        </div>
        {children}
        {foot && <div class="dialog-foot">{foot}</div>}
      </div>
    </div>
  );
}
