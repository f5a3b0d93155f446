// The architecture, read from the #includes: arrows point down, libraries stay in their room, unsafe calls are absent.
// node tests/layers.mjs [ROOT]
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));

/** From the top. A room includes itself and what stands in a later row. */
const LEVELS = [
  ['main'],
  ['cli'],
  ['app'],
  ['net', 'http', 'jobs'],
  ['link', 'archive', 'auth'],
  ['chat'],
  ['ownership', 'routing', 'care', 'cases', 'qa', 'kb', 'people', 'figures'],
  ['protocol'],
  ['log', 'config'],
  ['base'],
];
/** Sideways, on purpose. */
const BESIDE = {
  'http -> net': 'a route is served behind the port of net',
  'routing -> people': 'a candidate is a person with skills, languages and a shift',
};
/** A library's headers, and the files that may include them. */
const LIBRARIES = [
  [/^libwebsockets\.h$/, /^net\/net_/],
  [/^uv\.h$/, /^(net|link|archive|jobs|app)\//],
  [/^hiredis\//, /^link\/link_redis(_\w+)?\.c$/],
  [/^sqlite3\.h$/, /^archive\/archive_/],
  [/^jansson\.h$/, /^protocol\/protocol_json(_\w+)?\.[ch]$/],
  [/^jwt\.h$/, /^auth\/auth_/],
  [/^sodium\.h$/, /^(base\/base_crypto|auth\/auth_password)\.c$/],
  [/^(unicode\/|cmark-gfm)/, /^kb\/kb_/],
  [/^ini\.h$/, /^config\/config_/],
  [/^curl\//, /^jobs\/jobs_/],
  [/^systemd\//, /^(app|cli)\/|^main\.c$/],
];
/** libc, POSIX and Linux. */
const SYSTEM = new RegExp(`^((sys|netinet|arpa|linux|net)/\\w+|${[
  'aio', 'alloca', 'assert', 'ctype', 'dirent', 'dlfcn', 'endian', 'err', 'errno', 'execinfo', 'fcntl', 'float', 'fnmatch', 'ftw', 'getopt', 'glob',
  'grp', 'iconv', 'ifaddrs', 'inttypes', 'langinfo', 'limits', 'locale', 'malloc', 'math', 'netdb', 'poll', 'pthread', 'pwd', 'regex',
  'sched', 'semaphore', 'setjmp', 'signal', 'spawn', 'stdalign', 'stdarg', 'stdatomic', 'stdbool', 'stddef', 'stdint', 'stdio',
  'stdlib', 'stdnoreturn', 'string', 'strings', 'syslog', 'termios', 'time', 'uchar', 'unistd', 'wchar', 'wctype', 'zlib',
].join('|')})\\.h$`);
/** What overruns, what keeps hidden state, what runs a shell: and what to write instead. */
const BANNED = {
  strcpy: 'snprintf or buf_add', stpcpy: 'snprintf or buf_add', strcat: 'buf_add', strncpy: 'snprintf or mem_strndup', strncat: 'buf_add',
  sprintf: 'snprintf', vsprintf: 'vsnprintf', gets: 'fgets', strtok: 'strsep or a scan of one’s own', alloca: 'mem_alloc',
  rand: 'crypto_random', srand: 'crypto_random', tmpnam: 'mkstemp', tempnam: 'mkstemp', mktemp: 'mkstemp',
  ctime: 'strftime', asctime: 'strftime', gmtime: 'gmtime_r', localtime: 'config’s zones', system: 'posix_spawn', popen: 'posix_spawn',
  atol: 'strtol with checks', atof: 'strtod with checks',
};

const level = new Map(LEVELS.flatMap((rooms, i) => rooms.map((room) => [room, i])));

function filesBelow(dir, like) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    return e.isDirectory() ? (e.name === 'node_modules' ? [] : filesBelow(path, like)) : like.test(e.name) ? [path] : [];
  });
}

const sources = filesBelow(join(ROOT, 'server'), /\.[ch]$/).map((path) => {
  const name = relative(join(ROOT, 'server'), path);
  return { name, room: name.includes('/') ? name.split('/')[0] : 'main', text: readFileSync(path, 'utf8') };
});
const includes = sources.flatMap((file) =>
  [...file.text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]/gm)].map((m) => {
    const line = file.text.slice(0, m.index).split('\n').length;
    return { file, own: m[1] === '"', header: m[2], at: `server/${file.name}:${line}` };
  }),
);

/** The text with comments and literals blanked, line for line. */
function codeOf(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (m) => m.replace(/[^\n]/g, ' '));
}

const none = (findings, hint) => assert.equal(findings.length, 0, `${findings.join('\n')}\n${hint}`);

test('every room stands on a level', () => {
  const unknown = [...new Set(sources.map((f) => f.room))].filter((room) => !level.has(room));
  none(unknown, 'A new room needs its place in LEVELS of tests/layers.mjs and in ARCHITECTURE.md.');
  assert.ok(sources.length > 20, 'no sources found');
});

test('includes point down, never up or sideways', () => {
  const wrong = [];
  for (const { file, own, header, at } of includes) {
    if (!own) continue;
    const room = header.includes('/') ? header.split('/')[0] : header === 'protocol_table.h' ? 'protocol' : null;
    if (room === null) wrong.push(`${at}: "${header}" without its room`);
    else if (!level.has(room)) wrong.push(`${at}: "${header}" is of no known room`);
    else if (room !== file.room && level.get(room) <= level.get(file.room) && !BESIDE[`${file.room} -> ${room}`])
      wrong.push(`${at}: ${file.room} includes ${room} ("${header}"), ${level.get(room) === level.get(file.room) ? 'which stands beside it' : 'which stands above it'}`);
  }
  none(wrong, 'What is needed from above or beside is a port: a struct of function pointers in the own header, filled in by app.');
});

test('a room’s private header stays in its room', () => {
  const wrong = includes.filter((i) => i.own && /_(private|room)\.h$/.test(i.header) && i.header.split('/')[0] !== i.file.room);
  none(wrong.map((i) => `${i.at}: "${i.header}"`), 'Include the public header.');
});

test('a library is included only where it belongs', () => {
  const wrong = [];
  for (const { file, own, header, at } of includes) {
    if (own || SYSTEM.test(header)) continue;
    const row = LIBRARIES.find(([like]) => like.test(header));
    if (!row) wrong.push(`${at}: <${header}> is of no known library`);
    else if (!row[1].test(file.name)) wrong.push(`${at}: <${header}> belongs to ${row[1].source}`);
  }
  none(wrong, 'A new library needs a row in LIBRARIES of tests/layers.mjs.');
});

test('no unsafe call', () => {
  const call = new RegExp(`(?<![\\w.>])(${Object.keys(BANNED).join('|')})\\s*\\(`, 'g');
  const wrong = [];
  for (const file of sources) {
    const code = codeOf(file.text);
    for (const m of code.matchAll(call))
      wrong.push(`server/${file.name}:${code.slice(0, m.index).split('\n').length}: ${m[1]}: use ${BANNED[m[1]]}`);
  }
  none(wrong, 'See BANNED in tests/layers.mjs.');
});

test('the faces’ imports point down too', { skip: !existsSync(join(ROOT, 'web/src')) }, () => {
  const order = ['protocol', 'model', 'state', 'ui/kit', 'actions', 'ui'];
  const layer = (name) => order.indexOf(/^ui\/(kit|theme)\//.test(name) ? 'ui/kit' : name.split('/')[0]);
  const src = join(ROOT, 'web/src');
  const wrong = [];
  for (const path of filesBelow(src, /\.tsx?$/)) {
    const name = relative(src, path);
    if (!name.includes('/') || /\.test\.tsx?$/.test(name)) continue;
    for (const m of readFileSync(path, 'utf8').matchAll(/^(?:import|export)[^'"]*from\s+'(\.[^']+)'/gm)) {
      const to = layer(relative(src, resolve(dirname(path), m[1])));
      if (to < 0 || to > layer(name)) wrong.push(`web/src/${name}: imports ${m[1]}`);
    }
  }
  none(wrong, `From the bottom: ${order.join(', ')}, then the entries.`);
});
