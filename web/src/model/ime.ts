// Which keys belong to an input method. Every key handler asks `owns` first: Enter and Esc there confirm or cancel a
// conversion and are not ours.

export interface KeyLike {
  isComposing?: boolean;
  keyCode?: number;
}

/** Safari ends the composition before the keydown that ended it, and marks that key with 229. */
const LATE_KEY_MS = 100;

export class Ime {
  private field: EventTarget | null = null;
  private endedAt = -Infinity;

  constructor(private readonly now: () => number = () => Date.now()) {}

  /** Whether something is being composed. A field that left the page takes its composition along, and nobody says so. */
  get active(): boolean {
    if (this.field && (this.field as { isConnected?: boolean }).isConnected === false) this.field = null;
    return this.field !== null;
  }

  start(field: EventTarget): void {
    this.field = field;
  }

  end(): void {
    this.field = null;
    this.endedAt = this.now();
  }

  owns(key: KeyLike): boolean {
    if (key.isComposing || this.active) return true;
    return key.keyCode === 229 && this.now() - this.endedAt < LATE_KEY_MS;
  }

  /** Follows the compositions inside a target (document, shadow root); returns what stops it. */
  follow(target: EventTarget): () => void {
    const start = (e: Event) => this.start(e.composedPath()[0] ?? target);
    const end = () => this.end();
    target.addEventListener('compositionstart', start, true);
    target.addEventListener('compositionend', end, true);
    return () => {
      target.removeEventListener('compositionstart', start, true);
      target.removeEventListener('compositionend', end, true);
    };
  }
}

/** The one of this page; an entry calls `ime.follow(document)` or `ime.follow(shadowRoot)` once. */
export const ime = new Ime();
