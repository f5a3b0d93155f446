import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Icon } from './Icon.js';

export type ButtonKind = 'primary' | 'plain' | 'quiet' | 'danger';

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'size'> {
  kind?: ButtonKind;
  small?: boolean;
  wide?: boolean;
  /** A path of icons.ts, before the text. */
  icon?: string;
  type?: 'button' | 'submit';
  disabled?: boolean;
  children?: ComponentChildren;
}

export function Button({ kind = 'plain', small, wide, icon, type = 'button', children, ...rest }: ButtonProps) {
  const looks = `btn ${kind}${small ? ' small' : ''}${wide ? ' wide' : ''}`;
  return (
    <button {...rest} type={type} class={rest.class ? `${looks} ${String(rest.class)}` : looks}>
      {icon && <Icon path={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}
