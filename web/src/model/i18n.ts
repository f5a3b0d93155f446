// Texts by key, plurals and dates by Intl. Dictionaries are flat: {"queue.place": "…{n}…", "queue.place.one": "…"};
// with `n` among the variables the plural form `key.one`, `key.few`, … wins over `key`.

export type Words = Record<string, string>;
export type Vars = Record<string, string | number>;

export interface I18n {
  readonly lang: string;
  t(key: string, vars?: Vars): string;
  number(n: number): string;
  /** 14:05 */
  time(ms: number): string;
  /** Today, Yesterday, Tomorrow, or a date. */
  day(ms: number, nowMs: number): string;
  /** Exact, for titles. */
  full(ms: number): string;
  /** About how long: "3 min", "2 h". */
  span(ms: number): string;
  sameDay(a: number, b: number): boolean;
}

export const languages = ['zh-CN', 'en'] as const;

/** The best of our languages for a list such as navigator.languages. */
export function pickLanguage(wanted: readonly string[]): string {
  for (const tag of wanted) {
    if (/^en-XA$/i.test(tag)) return 'en-XA';
    if (/^zh/i.test(tag)) return 'zh-CN';
    if (/^en/i.test(tag)) return 'en';
  }
  return 'en';
}

export function createI18n(lang: string, words: Words, timeZone?: string): I18n {
  const locale = lang === 'en-XA' ? 'en' : lang;
  const zone = timeZone === undefined ? {} : { timeZone };
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  const made = new Map<string, Intl.DateTimeFormat>();
  const dates = (name: string, options: Intl.DateTimeFormatOptions) => {
    const have = made.get(name) ?? new Intl.DateTimeFormat(locale, { ...options, ...zone });
    made.set(name, have);
    return have;
  };
  const ofDay = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
  const dayKey = (ms: number) => dates('key', ofDay).format(ms);
  /** Days are counted, not hours: one of them may have 23 or 25. */
  const dayOf = (ms: number) => {
    const part: Record<string, number> = {};
    for (const { type, value } of dates('key', ofDay).formatToParts(ms)) part[type] = Number(value);
    return Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day']) / 86_400_000;
  };
  const unit = (n: number, name: string) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: 0 }).format(n);

  return {
    lang,
    t(key, vars) {
      const form = typeof vars?.['n'] === 'number' ? words[`${key}.${plurals.select(vars['n'])}`] : undefined;
      const text = form ?? words[key] ?? words[`${key}.other`] ?? key;
      if (!vars) return text;
      return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
        const value = vars[name];
        return value === undefined ? whole : typeof value === 'number' ? numbers.format(value) : value;
      });
    },
    number: (n) => numbers.format(n),
    time: (ms) => dates('time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms),
    day(ms, nowMs) {
      const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
      const capital = (s: string) => s.charAt(0).toLocaleUpperCase(locale) + s.slice(1);
      const away = dayOf(ms) - dayOf(nowMs);
      if (Math.abs(away) <= 1) return capital(relative.format(away, 'day'));
      const far = Math.abs(nowMs - ms) > 300 * 86_400_000;
      return dates(far ? 'far' : 'near', { ...(far ? { year: 'numeric' } : {}), month: 'long', day: 'numeric', weekday: 'short' }).format(ms);
    },
    full: (ms) => dates('full', { dateStyle: 'full', timeStyle: 'medium' }).format(ms),
    span(ms) {
      const minutes = Math.max(0, ms) / 60_000;
      if (minutes < 1) return unit(Math.round(minutes * 60), 'second');
      if (minutes < 60) return unit(Math.round(minutes), 'minute');
      return minutes < 48 * 60 ? unit(Math.round(minutes / 60), 'hour') : unit(Math.round(minutes / 1440), 'day');
    },
    sameDay: (a, b) => dayKey(a) === dayKey(b),
  };
}
