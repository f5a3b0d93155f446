// A small knowledge base of a test's own: files in a folder, an editor, a chat that is served.
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from './server.mjs';

let times = 0;

/** One file's text. */
export function article(id, { lang = 'en', title, body, questions = [], keywords = [], ...front } = {}) {
  const more = Object.entries(front).map(([k, v]) => `${k}: ${v}\n`).join('');
  return `---\nid: ${id}\ntitle: ${title}\nlang: ${lang}\n${more}keywords: [${keywords.join(', ')}]\nquestions:\n${questions.map((q) => `  - ${q}\n`).join('')}---\n${body}\n`;
}

/** What a shop might have: three that shoppers may see, one for staff. */
export const BOOKS = {
  'en/opening-hours.md': article('opening-hours', { title: 'Opening hours of the showroom', body: 'The showroom is open from nine to six, Sundays excepted.', questions: ['when does the showroom open', 'are you open on Sunday'] }),
  'en/gift-wrapping.md': article('gift-wrapping', { title: 'Gift wrapping and greeting cards', body: 'We wrap presents for free and add a card.', questions: ['can you wrap it as a gift', 'may I add a greeting card'] }),
  'en/lamp-bulbs.md': article('lamp-bulbs', { title: 'Which bulbs fit our lamps', body: 'All our lamps take E27 bulbs of at most forty watts.', questions: ['which bulb does the lamp take', 'how many watts may the bulb have'] }),
  'en/goodwill.md': article('goodwill', { title: 'Goodwill discount for angry customers', audience: 'rep', body: 'Up to ten percent may be given without asking.', questions: ['may I give a goodwill discount', 'how much discount is allowed'] }),
};

export class Folder {
  constructor(books = BOOKS) {
    this.dir = join(temporaryFolder(), 'kb');
    for (const [name, text] of Object.entries(books)) this.write(name, text);
  }

  /** Written with a time of its own, so that no two versions look alike. */
  write(name, text) {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    const at = 1_700_000_000 + ++times;
    utimesSync(path, at, at);
  }

  remove(name) {
    rmSync(join(this.dir, name));
  }
}

/** Calls of an account with these roles: get(path), post(path, body). */
export async function editor(server, { role = 'editor' } = {}) {
  const who = await server.account({ role });
  return {
    ...who,
    get: (path) => server.api('GET', `/api/v1/${path}`, { token: who.token }),
    post: (path, body) => server.api('POST', `/api/v1/${path}`, { token: who.token, body: body ?? {} }),
  };
}

/** Best first, the ids that a rep is shown for a text. */
export async function ranked(r, text) {
  return (await r.done('kb.suggest', { text })).articles;
}
