// Every frame that a test's client gets is checked against schema/protocol: a frame that doesn't fit fails the file.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from './server.mjs';

const require = createRequire(join(ROOT, 'web/package.json'));
const Ajv = require('ajv/dist/2020.js').default;
const folder = join(ROOT, 'schema/protocol');
const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });

const base = 'https://firstline.invalid/protocol/';
const read = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
const add = (path) => ajv.addSchema({ ...read(path), $id: base + path });

add('common.json');
for (const dir of ['server', 'event']) for (const f of readdirSync(join(folder, dir))) add(`${dir}/${f}`);

const find = (dir, name) => ajv.getSchema(`${base}${dir}/${name}.json`);

/** What is wrong with a message of the server, or null. */
export function problemOf(message) {
  const envelope = find('server', message?.t);
  if (!envelope) return `unknown t ${JSON.stringify(message?.t)}`;
  if (!envelope(message)) return ajv.errorsText(envelope.errors);
  if (message.t !== 'event') return null;
  const kind = find('event', message.kind);
  if (!kind) return `unknown kind ${message.kind}`;
  return kind(message) ? null : `${message.kind}: ${ajv.errorsText(kind.errors)}`;
}

export { require };
