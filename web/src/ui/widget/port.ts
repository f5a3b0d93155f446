// What loader and panel agree on. The loader (widget.js) is on every page of the shop; the panel comes when it is wanted.

export type Identity = string | (() => string | Promise<string>);

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

export interface PanelModule {
  mount(options: PanelOptions): PanelHandle;
}

/** Its presence in localStorage means: this shopper has an open chat, so connect at load. */
export const openChatKey = (site: string | undefined) => `firstline:${site ?? 'default'}:chat`;
