// Writes embed.S (the bytes, by .incbin) and embed_table.c (names and sizes) for base/base_embed.h.
// node gen_embed.mjs OUT SCHEMA_DIR KB_DIR WEB_DIR
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [out, schema, kb, web] = process.argv.slice(2);
const files = [];

function walk(dir, name, keep) {
  if (!existsSync(dir)) return;
  for (const f of readdirSync(dir).sort()) {
    const path = join(dir, f);
    if (statSync(path).isDirectory()) walk(path, `${name}/${f}`, keep);
    else if (keep(f)) files.push({ name: `${name}/${f}`, path, size: statSync(path).size });
  }
}

walk(join(schema, 'lua'), 'lua', (f) => f.endsWith('.lua'));
walk(join(schema, 'sql'), 'sql', (f) => f.endsWith('.sql'));
walk(join(schema, 'migrations'), 'migrations', (f) => f.endsWith('.sql'));
walk(join(kb, 'en'), 'kb/en', (f) => f.endsWith('.md'));
walk(join(kb, 'zh-CN'), 'kb/zh-CN', (f) => f.endsWith('.md'));
const synonyms = join(kb, 'synonyms.txt');
if (existsSync(synonyms)) files.push({ name: 'kb/synonyms.txt', path: synonyms, size: statSync(synonyms).size });
walk(web, 'web', () => true);
const openapi = join(schema, 'openapi.json');
if (existsSync(openapi)) files.push({ name: 'openapi.json', path: openapi, size: statSync(openapi).size });
files.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

mkdirSync(out, { recursive: true });
const quote = (s) => JSON.stringify(s);
const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16);
writeFileSync(
  join(out, 'embed.S'),
  '.section .rodata\n' +
    files.map((f, i) => `.global embed_${i}\n.balign 16\nembed_${i}:\n.incbin ${quote(f.path)}\n.byte 0\n`).join('') +
    '.section .note.GNU-stack,"",@progbits\n',
);
writeFileSync(
  join(out, 'embed_table.c'),
  '#include "base/base_embed.h"\n\n' +
    files.map((_, i) => `extern const char embed_${i}[];\n`).join('') +
    '\nstatic const struct embed table[] = {\n' +
    files.map((f, i) => `    {${quote(f.name)}, {embed_${i}, ${f.size}}, ${quote(digest(f.path))}},\n`).join('') +
    '    {NULL, {NULL, 0}, NULL},\n};\n' +
    `#define N ${files.length}\n` +
    `
const struct embed *embed_find(const char *name)
{
    size_t lo = 0, hi = N;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(table[mid].name, name);

        if (c == 0)
            return &table[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const struct embed *embed_next(const char *prefix, size_t *i)
{
    size_t n = strlen(prefix);

    while (*i < N) {
        const struct embed *e = &table[(*i)++];

        if (strncmp(e->name, prefix, n) == 0)
            return e;
    }
    return NULL;
}
`,
);
