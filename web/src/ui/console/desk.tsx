// The desk for the components below, and buttons made from actions.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Action } from '../../actions/action.js';
import { ariaKeys, firstKey } from '../../actions/keys.js';
import type { Desk } from '../../state/console/desk.js';
import { t } from '../../state/console/words.js';
import { Button, IconButton } from '../kit/index.js';

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('outside of the desk');
  return desk;
}

interface ActProps {
  action: Action;
  kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  small?: boolean;
  /** Only the icon; the name is its label. */
  bare?: boolean;
  /** Leave it out where it is not possible now, instead of greying it. */
  hide?: boolean;
  pressed?: boolean;
}

export function Act({ action, kind, small, bare, hide, pressed }: ActProps) {
  const desk = useDesk();
  const on = action.enabled(desk);
  if ((hide && !on) || action.shown?.(desk) === false) return null;
  const keys = firstKey(action);
  const aria = ariaKeys(action);
  const rest = { disabled: !on, onClick: () => action.run(desk), ...(aria ? { 'aria-keyshortcuts': aria } : {}), ...(pressed === undefined ? {} : { 'aria-pressed': pressed }) };
  if (bare && action.icon) return <IconButton icon={action.icon} label={t(action.label)} {...(keys ? { hint: keys } : {})} {...(small ? { small } : {})} {...rest} />;
  return (
    <Button {...(kind ? { kind } : {})} {...(small ? { small } : {})} {...(action.icon ? { icon: action.icon } : {})} title={keys ? `${t(action.label)} (${keys})` : undefined} {...rest}>
      {t(action.label)}
    </Button>
  );
}
