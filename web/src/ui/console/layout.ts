// Which panes stand open. Below 1180 px the card is a drawer over the conversation, closed at first.
import { signal } from '@preact/signals';
import { choose, settings } from '../../state/console/settings.js';

const NARROW = '(max-width: 1179px)';

export const drawer = signal(false);

export function isNarrow(): boolean {
  return window.matchMedia(NARROW).matches;
}

export function toggleCard(): void {
  if (isNarrow()) drawer.value = !drawer.value;
  else choose({ cardFolded: !settings.value.cardFolded });
}
