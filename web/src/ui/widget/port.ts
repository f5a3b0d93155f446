// What loader and panel agree on. The loader (widget.js) is on every page of the shop; the panel comes when it is wanted.

import type { Identity } from '../../state/shopper.js';
import type { ArticleList } from './Articles.js';
import type { Chat } from './Chat.js';
import type { Leave } from './Leave.js';
import type { Solved } from './Solved.js';

export interface PanelOptions {
  /** Where the panel puts itself; the launcher stands in it too. */
  root: ShadowRoot;
  launcher: HTMLElement | null;
  /** Of the script: the gateway's. */
  origin: string;
  site: string | undefined;
  lang: string;
  words: Record<string, string>;
  color: string | undefined;
  left: boolean;
  identity: Identity | undefined;
  /** Fetches the panel's later part. */
  later: () => Promise<LaterModule>;
  emit: (name: string, detail?: unknown) => void;
  /** The launcher's badge and state. */
  onUnread: (n: number) => void;
  onOpen: (open: boolean) => void;
}

export interface PanelHandle {
  open(): void;
  close(): void;
  toggle(): void;
  identify(identity: Identity): void;
  reset(): void;
}

/** later.tsx: all that the first screen doesn't need. */
export interface LaterModule {
  styles: string;
  ArticleList: typeof ArticleList;
  Chat: typeof Chat;
  Leave: typeof Leave;
  Solved: typeof Solved;
}

export interface PanelModule {
  mount(options: PanelOptions): PanelHandle;
}

/** All that is stored of a site's shopper; nothing where storage is refused. */
export function keptKeys(site: string | undefined): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(`firstline:${site ?? 'default'}:`));
  } catch {
    return [];
  }
}

/** With one of these the shopper has an open chat, or wrote something that isn't sent yet: connect at load. */
export const isBusiness = (key: string) => /:(chat|out:[^:]*)$/.test(key);
