// What a rep can do, as one object each: button, key, command bar and help all come from it.
import { icons } from '../ui/kit/index.js';
import type { Desk } from '../state/console/desk.js';

export type ActionGroup = 'go' | 'offer' | 'write' | 'chat' | 'lead' | 'shift' | 'look';

export interface Action {
  id: string;
  /** The key of its name in the dictionaries. */
  label: string;
  group: ActionGroup;
  icon?: string;
  /** As keys.ts reads them: 'a', 'mod+k', 'alt+arrowdown', 'g q', '?'. */
  keys?: string[];
  /** Acts inside text fields too (its keys bear a modifier). */
  anywhere?: boolean;
  /** Acts again and again while its key is held; others once a stroke. */
  repeats?: boolean;
  /** Offered at all: by role. Default: everybody. */
  shown?: (desk: Desk) => boolean;
  enabled: (desk: Desk) => boolean;
  run: (desk: Desk) => void;
}

export const groupIcons: Record<ActionGroup, string> = {
  go: icons.chevronRight, offer: icons.bell, write: icons.reply, chat: icons.chat, lead: icons.users, shift: icons.clock, look: icons.settings,
};
