// Focus inside a modal layer: in, kept, given back.
const reachable = 'a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select:not(:disabled), [tabindex="0"]';

export function reachableIn(box: Element): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>(reachable)].filter((e) => e.getClientRects().length > 0);
}

/** Tab and Shift+Tab stay inside `box`. Returns what takes it away again. */
export function trapTab(box: HTMLElement): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Tab') return;
    const all = reachableIn(box);
    const first = all[0];
    const last = all[all.length - 1];
    const active = (box.getRootNode() as Document | ShadowRoot).activeElement;
    if (!first || !last) event.preventDefault();
    else if (event.shiftKey && (active === first || active === box)) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && active === last) {
      event.preventDefault();
      first.focus();
    }
  };
  box.addEventListener('keydown', onKey);
  return () => box.removeEventListener('keydown', onKey);
}

export function keepFocus(box: HTMLElement): () => void {
  const root = box.getRootNode() as Document | ShadowRoot;
  const before = root.activeElement as HTMLElement | null;
  const stop = trapTab(box);
  const controls = reachableIn(box);
  (box.querySelector<HTMLElement>('[autofocus]') ?? controls[1] ?? controls[0] ?? box).focus();
  return () => {
    stop();
    if (before?.isConnected) before.focus();
  };
}
