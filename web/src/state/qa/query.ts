// A search: what is typed, what stands in the address, what is asked of the server. The address is the search.

export interface Query {
  q: string;
  rep: string;
  department: string;
  tag: string;
  rating: string;
  /** Days of the viewer, YYYY-MM-DD. */
  from: string;
  to: string;
  ownerChanged: boolean;
}

export const emptyQuery: Query = { q: '', rep: '', department: '', tag: '', rating: '', from: '', to: '', ownerChanged: false };

export type Chip = Exclude<keyof Query, 'q'>;
export const chips: Chip[] = ['rep', 'department', 'tag', 'rating', 'from', 'to', 'ownerChanged'];

/** What one may type before the colon, in both languages. */
const words: Record<string, Chip> = {
  rep: 'rep', department: 'department', dept: 'department', tag: 'tag', rating: 'rating', from: 'from', to: 'to',
  '客服': 'rep', '责任人': 'rep', '部门': 'department', '标签': 'tag', '评分': 'rating', '从': 'from', '到': 'to',
};
const ownerWords = ['owner-changed', 'owner_changed', '换人', '责任人变更'];

const chipLike = /(^|\s)([\p{L}_-]+)[:：](?:"([^"]*)"|“([^”]*)”|([^\s"“]\S*))/gu;

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(Date.parse(text));
}

function fits(chip: Chip, value: string): boolean {
  if (chip === 'rating') return /^[1-5]$/.test(value);
  return chip === 'from' || chip === 'to' ? isDay(value) : value !== '';
}

/** Takes the chips out of a typed line; what is no chip stays as text. */
export function readLine(line: string, before: Query): Query {
  const query = { ...before };
  let text = line.replace(chipLike, (whole, space: string, word: string, a?: string, b?: string, c?: string) => {
    const chip = words[word.toLowerCase()];
    const value = a ?? b ?? c ?? '';
    if (!chip || chip === 'ownerChanged' || !fits(chip, value)) return whole;
    query[chip] = value;
    return space;
  });
  for (const word of ownerWords) {
    const at = text.toLowerCase().split(/\s+/).indexOf(word);
    if (at < 0) continue;
    query.ownerChanged = true;
    text = text.split(/\s+/).filter((_, i) => i !== at).join(' ');
  }
  return { ...query, q: text.trim().replace(/\s+/g, ' ') };
}

export function fromAddress(search: string): { query: Query; chat: string } {
  const p = new URLSearchParams(search);
  const text = (name: string) => p.get(name) ?? '';
  const day = (name: string) => (isDay(text(name)) ? text(name) : '');
  return {
    query: {
      q: text('q'), rep: text('rep'), department: text('department'), tag: text('tag'), rating: fits('rating', text('rating')) ? text('rating') : '',
      from: day('from'), to: day('to'), ownerChanged: text('owner_changed') === 'true',
    },
    chat: text('chat'),
  };
}

function params(query: Query): URLSearchParams {
  const p = new URLSearchParams();
  for (const name of ['q', 'rep', 'department', 'tag', 'rating', 'from', 'to'] as const) if (query[name] !== '') p.set(name, query[name]);
  if (query.ownerChanged) p.set('owner_changed', 'true');
  return p;
}

export function toAddress(query: Query, chat: string): string {
  const p = params(query);
  if (chat !== '') p.set('chat', chat);
  const text = p.toString();
  return text === '' ? '/qa' : `/qa?${text}`;
}

/** For the server days become milliseconds: from the first of `from` to the last of `to`, in the viewer's zone. */
export function toRequest(query: Query, cursor: string | null, limit: number): string {
  const p = params(query);
  const start = (day: string, later = 0) => {
    const at = new Date(`${day}T00:00:00`);
    return at.setDate(at.getDate() + later); // a day may have 23 or 25 hours
  };
  if (query.from !== '') p.set('from', String(start(query.from)));
  if (query.to !== '') p.set('to', String(start(query.to, 1) - 1));
  p.set('limit', String(limit));
  if (cursor !== null) p.set('cursor', cursor);
  return `/api/v1/transcripts?${p.toString()}`;
}

export function hasChips(query: Query): boolean {
  return chips.some((c) => query[c] !== '' && query[c] !== false);
}

const cjk = /[\u2e80-\u9fff\uf900-\ufaff\uac00-\ud7af\u3040-\u30ff]/;

/** What to mark in a text: each word, and of a Chinese run that is not there as a whole its pairs. */
export function markWords(q: string, text: string): string[] {
  const lower = text.toLowerCase();
  return q.split(/[\s"“”]+/).filter((w) => w !== '').flatMap((word) => {
    if (!cjk.test(word) || word.length < 3 || lower.includes(word.toLowerCase())) return [word];
    return Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2));
  });
}
