/** Unicode characters, as the server counts. */
export const countChars = (text: string) => [...text].length;

export const TEXT_CHARS = 4000;
