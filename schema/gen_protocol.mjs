// Reads the JSON Schemas of the protocol; writes the C tables and the TypeScript types.
// node gen_protocol.mjs SCHEMA_DIR OUT_DIR TS_FILE → OUT_DIR/protocol_table.{h,c}, TS_FILE
//
// SCHEMA_DIR holds client/<type>.json (commands), event/<kind>.json (an entry's own fields), server/<t>.json and
// common.json ($defs that several share). Only the part of JSON Schema that the gate can check is understood; all
// else is refused here, so that a schema never promises what nobody checks.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const [schemaDir, outDir, tsFile] = process.argv.slice(2);
if (!tsFile) {
  console.error('usage: node gen_protocol.mjs SCHEMA_DIR OUT_DIR TS_FILE');
  process.exit(2);
}

// What an event's frame has besides the kind's own fields.
const ENVELOPE = ['t', 'chat', 'seq', 'at', 'prev', 'kind', 'from', 'ref'];
const ROLES = {
  shopper: 'ROLE_SHOPPER',
  rep: 'ROLE_REP | ROLE_LEAD | ROLE_DIRECTOR',
  lead: 'ROLE_LEAD | ROLE_DIRECTOR',
  qa: 'ROLE_QA',
  editor: 'ROLE_EDITOR',
  director: 'ROLE_DIRECTOR',
  admin: 'ROLE_ADMIN',
  staff: 'ROLE_STAFF',
};

function fail(file, why) {
  console.error(`gen_protocol: ${file}: ${why}`);
  process.exit(1);
}

// --- reading

const files = new Map();

function readJson(file) {
  if (!files.has(file)) {
    let text, json;
    try {
      text = readFileSync(file, 'utf8');
    } catch (e) {
      fail(file, `cannot be read (${e.code})`);
    }
    try {
      json = JSON.parse(text);
    } catch (e) {
      fail(file, `is not JSON: ${e.message}`);
    }
    if (!isObject(json)) fail(file, 'is not an object');
    files.set(file, json);
  }
  return files.get(file);
}

function isObject(v) {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

function readFolder(name) {
  const dir = join(schemaDir, name);
  if (!existsSync(dir)) fail(dir, 'is not there');
  return readdirSync(dir)
    .filter((f) => f.endsWith('.json'))
    .sort()
    .map((f) => {
      const file = join(dir, f);
      const schema = readJson(file);
      if (schema.type !== 'object' || !isObject(schema.properties)) fail(file, 'needs "type": "object" and "properties"');
      for (const r of schema.required ?? []) {
        if (!(r in schema.properties)) fail(file, `requires "${r}", which is no property`);
      }
      return { name: f.slice(0, -5), file, schema };
    });
}

// Follows $ref; returns {schema, file, def} where def is the name of a shared shape or undefined.
function resolve(schema, file) {
  if (!isObject(schema)) fail(file, 'has a property whose schema is not an object');
  if (schema.$ref === undefined) return { schema, file };
  const [path, pointer] = String(schema.$ref).split('#');
  const target = path ? normalize(join(dirname(file), path)) : file;
  const def = /^\/\$defs\/([A-Za-z]+)$/.exec(pointer ?? '')?.[1];
  const found = def && readJson(target).$defs?.[def];
  if (!found) fail(file, `refers to ${schema.$ref}, which is not there`);
  return { ...resolve(found, target), def };
}

// --- the C side of one property

const KNOWN = new Set(['description', 'type', 'format', 'minLength', 'maxLength', 'minimum', 'maximum', 'items', 'maxItems',
  'minItems', 'enum', 'properties', 'required', 'title']);

// A rule as the gate reads it: {field, val, item, min, max, isId, oneOf, sub}.
function ruleOf(field, prop, file, required) {
  const { schema: s, file: at } = resolve(prop, file);
  const rule = { field, val: '', item: '', min: '0', max: 'INT64_MAX', isId: false, oneOf: null, sub: null, required };
  for (const k of Object.keys(s)) {
    if (!KNOWN.has(k)) fail(at, `"${field}" uses "${k}", which the gate does not check`);
  }
  switch (s.type) {
    case 'string':
      rule.val = 'VAL_STR';
      if (s.format !== undefined && s.format !== 'firstline-id') fail(at, `"${field}" has the unknown format "${s.format}"`);
      rule.isId = s.format === 'firstline-id';
      rule.oneOf = s.enum ?? null;
      if (!rule.isId && !rule.oneOf && !Number.isInteger(s.maxLength)) fail(at, `"${field}" needs maxLength`);
      rule.min = String(s.minLength ?? 0);
      rule.max = String(rule.isId ? 64 : (s.maxLength ?? 64));
      break;
    case 'integer':
      rule.val = 'VAL_INT';
      rule.min = s.minimum === undefined ? 'INT64_MIN' : String(s.minimum);
      rule.max = s.maximum === undefined ? 'INT64_MAX' : String(s.maximum);
      break;
    case 'boolean':
      rule.val = 'VAL_BOOL';
      break;
    case 'object':
      rule.val = 'VAL_JSON';
      rule.item = 'o';
      rule.sub = rulesOf(s, at);
      break;
    case 'array': {
      if (!Number.isInteger(s.maxItems)) fail(at, `"${field}" needs maxItems`);
      const item = resolve(s.items, at);
      rule.val = 'VAL_JSON';
      rule.min = String(s.minItems ?? 0);
      rule.max = String(s.maxItems);
      if (item.schema.type === 'string') {
        rule.item = 's';
        rule.sub = [ruleOf(field, item.schema, item.file, true)];
      } else if (item.schema.type === 'object') {
        rule.item = 'O';
        rule.sub = rulesOf(item.schema, item.file);
      } else fail(at, `"${field}" is a list of neither strings nor objects`);
      break;
    }
    default:
      fail(at, `"${field}" has the type ${JSON.stringify(s.type)}, which the gate does not know`);
  }
  return rule;
}

function rulesOf(schema, file, skip = []) {
  if (!isObject(schema.properties)) fail(file, 'has an object without properties');
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties)
    .filter(([name]) => !skip.includes(name))
    .map(([name, prop]) => ruleOf(checkName(name, file), prop, file, required.has(name)));
}

function checkName(name, file) {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) fail(file, `"${name}" is no name for a field: a-z, 0-9 and _`);
  return name;
}

// The type and shape that an event's field has.
function eventType(name, prop, file) {
  const { schema: s } = resolve(prop, file);
  const t = { string: 'VAL_STR', integer: 'VAL_INT', boolean: 'VAL_BOOL', object: 'VAL_JSON', array: 'VAL_JSON' }[s.type];
  if (!t) fail(file, `"${name}" has the type ${JSON.stringify(s.type)}, which an entry cannot hold`);
  return t;
}

// --- everything, checked

const client = readFolder('client').map(({ name, file, schema }) => {
  const x = schema['x-firstline'];
  if (!/^[a-z]+(\.[a-z]+(_[a-z]+)*)?$/.test(name)) fail(file, 'is not named like a message, "chat.start"');
  if (schema.properties.t?.const !== name) fail(file, `needs "t": { "const": "${name}" }`);
  if (schema.properties.id?.format !== 'firstline-id') fail(file, 'needs "id": { "type": "string", "format": "firstline-id" }');
  if (!isObject(x) || !Array.isArray(x.roles) || x.roles.length === 0) fail(file, 'needs "x-firstline" with its "roles"');
  for (const r of x.roles) if (!ROLES[r]) fail(file, `names the role "${r}", which does not exist`);
  if (!Number.isInteger(x.cost) || x.cost < 0) fail(file, 'needs "cost", a whole number, in "x-firstline"');
  if (typeof x.durable !== 'boolean' || typeof x.hello !== 'boolean') fail(file, 'needs "durable" and "hello", true or false, in "x-firstline"');
  return { name, file, schema, x, rules: rulesOf(schema, file, ['t', 'id']) };
});

const events = readFolder('event').map(({ name, file, schema }) => {
  if (!/^[a-z]+(_[a-z]+)*$/.test(name)) fail(file, 'is not named like a kind, "offer_missed"');
  const fields = Object.entries(schema.properties).map(([f, prop]) => {
    if (ENVELOPE.includes(f)) fail(file, `"${f}" is a part of every event and cannot be a field of a kind`);
    return { name: checkName(f, file), type: eventType(f, prop, file) };
  });
  const format = schema['x-format'] ?? 1; // the data's format that first knew this kind
  if (!Number.isInteger(format) || format < 1) fail(file, '"x-format" is a whole number from 1 on');
  return { name, file, schema, fields, format };
});

const server = readFolder('server');
for (const { name, file, schema } of server) {
  if (schema.properties.t?.const !== name) fail(file, `needs "t": { "const": "${name}" }`);
}

const fieldSet = new Set();
const collect = (rules) => rules.forEach((r) => (fieldSet.add(r.field), r.sub && collect(r.sub)));
client.forEach((m) => collect(m.rules));
events.forEach((k) => k.fields.forEach((f) => fieldSet.add(f.name)));
const fields = [...fieldSet].sort();

// --- C

const upper = (prefix, s) => prefix + s.toUpperCase().replace(/\./g, '_');
const HEAD = '/* Generated from schema/protocol by schema/gen_protocol.mjs. */\n';

function cHeader() {
  const list = (name, prefix, names) =>
    `enum ${name} {\n${names.map((n) => `    ${upper(prefix, n)},\n`).join('')}    ${prefix}N\n};\n`;
  return `${HEAD}#ifndef PROTOCOL_TABLE_H
#define PROTOCOL_TABLE_H

#include <stddef.h>

/* Types of commands, client/<type>.json. */
${list('msg_type', 'MSG_', client.map((m) => m.name))}
/* Kinds of entries, event/<kind>.json. */
${list('kind', 'KIND_', events.map((e) => e.name))}
/* Names of the fields of both, also of the objects inside commands. */
${list('field', 'FIELD_', fields)}
/* The most rules that one command has. */
#define MSG_RULES_MAX ${Math.max(...client.map((m) => m.rules.length))}

/* By exact name; MSG_N, KIND_N, FIELD_N if there is none. */
enum msg_type protocol_find_msg(const char *s, size_t n);
enum kind protocol_find_kind(const char *s, size_t n);
enum field protocol_find_field(const char *s, size_t n);

#endif
`;
}

let tables = '';

// Emits the tables a rule list needs (allowed values, rules inside) and returns the rows' text.
function cRules(id, rules) {
  const rows = rules.map((r) => {
    const own = `${id}_${r.field}`;
    let oneOf = 'NULL', sub = 'NULL';
    if (r.oneOf) {
      tables += `static const char *const ${own}_values[] = {${r.oneOf.map((v) => `${JSON.stringify(v)}, `).join('')}NULL};\n`;
      oneOf = `${own}_values`;
    }
    if (r.sub) {
      cRules(`${own}_in`, r.sub);
      sub = `${own}_in_rules`;
    }
    return `    {.field = ${upper('FIELD_', r.field)}, .type = ${r.val}, .required = ${r.required}, .item = ${r.item ? `'${r.item}'` : '0'}, ` +
      `.min = ${r.min}, .max = ${r.max}, .is_id = ${r.isId},\n     .one_of = ${oneOf}, .sub = ${sub}, .sub_n = ${r.sub?.length ?? 0}},\n`;
  });
  if (rows.length) tables += `static const struct field_rule ${id}_rules[] = {\n${rows.join('')}};\n`;
}

// A lookup by length, then by the bytes: no hashing, no allocation.
function cFind(fn, type, prefix, names) {
  const lengths = [...new Set(names.map((n) => n.length))].sort((a, b) => a - b);
  const body = lengths.map((len) => {
    const tests = names.filter((n) => n.length === len)
      .map((n) => `        if (memcmp(s, ${JSON.stringify(n)}, ${len}) == 0)\n            return ${upper(prefix, n)};\n`);
    return `    case ${len}:\n${tests.join('')}        break;\n`;
  });
  return `${type} ${fn}(const char *s, size_t n)\n{\n    switch (n) {\n${body.join('')}    default:\n        break;\n    }\n    return ${prefix}N;\n}\n`;
}

function cSource() {
  client.forEach((m) => cRules(m.name.replace(/\./g, '_'), m.rules));
  const msgRows = client.map((m) => {
    const id = m.name.replace(/\./g, '_');
    const roles = m.x.roles.map((r) => ROLES[r]).join(' | ');
    const rules = m.rules.length ? `${id}_rules` : 'NULL';
    return `    [${upper('MSG_', m.name)}] = {"${m.name}", ${roles}, ${m.x.cost}, ${m.x.durable}, ${m.x.hello}, ${rules}, ${m.rules.length}},\n`;
  });
  const kindTables = events.filter((e) => e.fields.length).map((e) =>
    `static const enum field kind_${e.name}_fields[] = {${e.fields.map((f) => upper('FIELD_', f.name)).join(', ')}};\n` +
    `static const enum val_type kind_${e.name}_types[] = {${e.fields.map((f) => f.type).join(', ')}};\n`);
  const kindRows = events.map((e) => {
    const n = e.fields.length;
    return `    [${upper('KIND_', e.name)}] = {"${e.name}", ${n ? `kind_${e.name}_fields, kind_${e.name}_types` : 'NULL, NULL'}, ${n}, ${e.format}},\n`;
  });
  return `${HEAD}#include "protocol/protocol.h"

${tables}
const struct msg_row msg_table[MSG_N] = {
${msgRows.join('')}};

${kindTables.join('')}
const struct kind_row kind_table[KIND_N] = {
${kindRows.join('')}};

const char *const field_names[FIELD_N] = {
${fields.map((f) => `    [${upper('FIELD_', f)}] = "${f}",\n`).join('')}};

${cFind('protocol_find_msg', 'enum msg_type', 'MSG_', client.map((m) => m.name))}
${cFind('protocol_find_kind', 'enum kind', 'KIND_', events.map((e) => e.name))}
${cFind('protocol_find_field', 'enum field', 'FIELD_', fields)}`;
}

// --- TypeScript

const quote = (s) => `'${s}'`;

function tsType(prop, file, indent) {
  if (prop.$ref !== undefined) return resolve(prop, file).def;
  if (prop.const !== undefined) return quote(prop.const);
  if (prop.enum) return prop.enum.map(quote).join(' | ');
  if (prop.anyOf) return prop.anyOf.map((p) => tsType(p, file, indent)).join(' | ');
  if (Array.isArray(prop.type)) return prop.type.map((t) => tsType({ ...prop, type: t }, file, indent)).join(' | ');
  switch (prop.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array': {
      const item = tsType(prop.items ?? fail(file, 'has a list without "items"'), file, indent);
      return /^[A-Za-z]+$/.test(item) ? `${item}[]` : `Array<${item}>`;
    }
    case 'object':
      return prop.properties ? tsObject(prop, file, indent) : 'Record<string, unknown>';
    default:
      return fail(file, `has the type ${JSON.stringify(prop.type)}, for which there is no TypeScript type`);
  }
}

function tsMembers(schema, file, indent) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties)
    .map(([name, prop]) => `${indent}${name}${required.has(name) ? '' : '?'}: ${tsType(prop, file, indent)};\n`)
    .join('');
}

function tsObject(schema, file, indent) {
  if (Object.keys(schema.properties).length === 0) return 'Record<never, never>';
  return `{\n${tsMembers(schema, file, indent + '  ')}${indent}}`;
}

const typeName = (s) => s.split(/[._]/).map((w) => w[0].toUpperCase() + w.slice(1)).join('');

function tsSource() {
  const common = join(schemaDir, 'common.json');
  const doc = (s) => (s ? `/** ${s} */\n` : '');
  const union = (name, parts) => `export type ${name} =\n${parts.map((p) => `  | ${p}`).join('\n')};\n`;
  const names = (name, list) => `export const ${name} = [\n${list.map((n) => `  ${quote(n)},\n`).join('')}] as const;\n`;
  let out = '// Generated from schema/protocol by schema/gen_protocol.mjs.\n\n';
  for (const [name, def] of Object.entries(readJson(common).$defs ?? {})) {
    out += `${doc(def.description)}export type ${name} = ${tsType(def, common, '')};\n\n`;
  }
  for (const m of client) out += `${doc(m.schema.title)}export interface Client${typeName(m.name)} {\n${tsMembers(m.schema, m.file, '  ')}}\n\n`;
  out += '/** What a client sends. */\n' + union('ClientMessage', client.map((m) => `Client${typeName(m.name)}`)) + '\n';
  out += names('clientTypes', client.map((m) => m.name)) + 'export type ClientType = (typeof clientTypes)[number];\n\n';

  const envelope = server.find((m) => m.name === 'event');
  if (!envelope) fail(join(schemaDir, 'server/event.json'), 'is not there');
  const base = { ...envelope.schema, properties: { ...envelope.schema.properties } };
  delete base.properties.kind;
  out += `/** What every entry has. */\nexport interface EventBase {\n${tsMembers(base, envelope.file, '  ')}}\n\n`;
  for (const e of events) {
    out += `${doc(e.schema.title)}export interface Event${typeName(e.name)} extends EventBase {\n  kind: ${quote(e.name)};\n${tsMembers(e.schema, e.file, '  ')}}\n\n`;
  }
  out += "/** One entry of a chat's log. */\n" + union('EventEntry', events.map((e) => `Event${typeName(e.name)}`)) + '\n';
  out += names('eventKinds', events.map((e) => e.name)) + 'export type EventKind = (typeof eventKinds)[number];\n\n';

  const frames = server.filter((m) => m.name !== 'event');
  for (const m of frames) out += `${doc(m.schema.title)}export interface Server${typeName(m.name)} {\n${tsMembers(m.schema, m.file, '  ')}}\n\n`;
  out += '/** What the server sends. */\n' + union('ServerMessage', ['EventEntry', ...frames.map((m) => `Server${typeName(m.name)}`)]) + '\n';
  out += names('serverTypes', server.map((m) => m.name)) + 'export type ServerType = (typeof serverTypes)[number];\n';
  return out;
}

// --- writing

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

const out = [[join(outDir, 'protocol_table.h'), cHeader()], [join(outDir, 'protocol_table.c'), cSource()], [tsFile, tsSource()]];
out.forEach(([file, text]) => write(file, text));
