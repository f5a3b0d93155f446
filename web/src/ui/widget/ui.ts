// What every part of the panel is given.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { I18n } from '../../model/i18n.js';
import type { ShopperState } from '../../state/shopper.js';
import type { LaterModule } from './port.js';

export type Form = 'message' | 'callback' | null;

export interface Ui {
  s: ShopperState;
  i: I18n;
  t: I18n['t'];
  /** Which form lies over the chat: leave a message, ask to be called. */
  setForm: (form: Form) => void;
  close: () => void;
  /** The parts that come when they are wanted; null until they are here, and then it draws again. */
  later: () => LaterModule | null;
}

export const UiContext = createContext<Ui | null>(null);

export function useUi(): Ui {
  return useContext(UiContext) as Ui;
}
