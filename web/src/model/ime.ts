// Which keys belong to an input method. Every key handler asks `owns` first: Enter and Esc there confirm or cancel a
// conversion and are not ours.

export interface KeyLike {
  isComposing?: boolean;
  keyCode?: number;
}

/** Safari ends the composition before the keydown that ended it, and marks that key with 229. */
const LATE_KEY_MS = 100;

export class Ime {
  private composing = false;
  private endedAt = -Infinity;

  constructor(private readonly now: () => number = () => Date.now()) {}

  get active(): boolean {
    return this.composing;
  }

  start(): void {
    this.composing = true;
  }

  end(): void {
    this.composing = false;
    this.endedAt = this.now();
  }

  owns(key: KeyLike): boolean {
    if (key.isComposing || this.composing) return true;
    return key.keyCode === 229 && this.now() - this.endedAt < LATE_KEY_MS;
  }

  /** Follows the compositions inside a target (document, shadow root); returns what stops it. */
  follow(target: EventTarget): () => void {
    const start = () => this.start();
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
