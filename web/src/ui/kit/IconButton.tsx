import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Icon } from './Icon.js';

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'label' | 'size'> {
  /** A path of icons.ts. */
  icon: string;
  /** The accessible name, also shown on hover. */
  label: string;
  /** More for the tooltip only, e.g. the key. */
  hint?: string;
  small?: boolean;
  size?: number;
  type?: 'button' | 'submit';
  disabled?: boolean;
  children?: ComponentChildren;
}

export function IconButton({ icon, label, hint, small, size, type = 'button', children, ...rest }: IconButtonProps) {
  const looks = small ? 'icon-btn small' : 'icon-btn';
  return (
    <button {...rest} type={type} aria-label={label} title={hint ? `${label} (${hint})` : label}
      class={rest.class ? `${looks} ${String(rest.class)}` : looks}>
      <Icon path={icon} size={size ?? (small ? 18 : 20)} />
      {children}
    </button>
  );
}
