// The faces' own texts, so that a test names a button as its reader sees it and a changed text breaks no test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';

const faces = { shop: ['shop'], widget: ['common', 'widget'], console: ['common', 'staff', 'console'], qa: ['common', 'staff', 'qa'], knowledge: ['common', 'knowledge'] };

/** words('en', 'widget') → t(key, vars): the text; throws on a key that doesn't exist. */
export function words(lang, face) {
  const read = (name) => JSON.parse(readFileSync(join(ROOT, 'web/i18n', lang, `${name}.json`), 'utf8'));
  const all = Object.assign({}, ...faces[face].map(read));
  return (key, vars = {}) => {
    const text = (vars.n === 1 && all[`${key}.one`]) || all[key];
    if (text === undefined) throw new Error(`i18n/${lang}: no ${key} for ${face}`);
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in vars ? String(vars[name]) : whole));
  };
}

/** A pattern of the text with anything in the place of its variables. */
export function like(text) {
  return new RegExp(text.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*'));
}
