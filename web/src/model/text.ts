// Signs that take no room and say nothing: format signs (zero widths, joiners, directions), fillers, the empty braille sign.
const nothing = /[\s\p{Cf}\u115f\u1160\u3164\uffa0\u2800]/gu;

/** True where a reader would see nothing. */
export const isBlank = (text: string) => text.replace(nothing, '') === '';

/** The first `n` characters: whole ones, half of one is no text that the server takes. */
export const firstChars = (text: string, n: number) => [...text].slice(0, n).join('');
