// Builds the web faces.   node build.mjs OUTDIR
//
// OUTDIR/index.html, console.html, qa.html, widget.js and assets/NAME-HASH.{js,css}; beside each a .br and a .gz.
// A face whose entry does not exist is left out. The bytes depend on the sources and the lockfile only.
//
// Two kinds of import exist besides the usual ones:
//   'dict:FACE'         → { 'en': () => import(…), 'zh-CN': …, 'en-XA': … }: i18n/LANG/{common,FACE}.json, a chunk each;
//                         en-XA stretches the English texts and is made here
//   './x.css?text'      → the bundled, minified style sheet as a string (for adoptedStyleSheets), without the tokens
//                         that neither it nor a sheet beside it uses
import { build } from 'esbuild';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const web = dirname(fileURLToPath(import.meta.url));
const src = (...p) => join(web, 'src', ...p);
const out = resolve(process.argv[2] ?? '');
if (!process.argv[2]) {
  console.error('usage: node build.mjs OUTDIR');
  process.exit(2);
}

export const LANGUAGES = ['en', 'zh-CN', 'en-XA'];
const targets = ['chrome100', 'firefox101', 'safari16.4'];

// --- dictionaries and styles as modules

const accents = { a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú', c: 'ç', n: 'ñ', s: 'š', y: 'ý', A: 'Á', E: 'É', I: 'Í', O: 'Ó', U: 'Ú' };

function stretch(text) {
  const body = text.split(/(\{[^}]*\})/).map((part) => (part.startsWith('{') ? part : part.replace(/[a-zA-Z]/g, (c) => accents[c] ?? c)));
  return `[${body.join('')}${' ···'.repeat(Math.ceil(text.length * 0.1))}]`;
}

function dictionary(face, lang) {
  const read = (name) => {
    const file = join(web, 'i18n', lang === 'en-XA' ? 'en' : lang, `${name}.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  };
  const words = { ...(face === 'shop' ? {} : read('common')), ...read(face) };
  if (lang === 'en-XA') for (const key of Object.keys(words)) words[key] = stretch(words[key]);
  return words;
}

const modules = {
  name: 'firstline-modules',
  setup(b) {
    b.onResolve({ filter: /^dict:/ }, (a) => ({ path: a.path.slice(5), namespace: 'dict' }));
    b.onLoad({ filter: /.*/, namespace: 'dict' }, (a) => {
      const [face, lang] = a.path.split('/');
      if (lang) return { contents: `export default ${JSON.stringify(dictionary(face, lang))}`, loader: 'js' };
      const rows = LANGUAGES.map((l) => `${JSON.stringify(l)}: () => import(${JSON.stringify(`dict:${face}/${l}`)})`);
      return { contents: `export default {${rows.join(', ')}}`, loader: 'js', resolveDir: web };
    });
    b.onResolve({ filter: /\.css\?text$/ }, (a) => ({ path: resolve(a.resolveDir, a.path.slice(0, -5)), namespace: 'css-text' }));
    b.onLoad({ filter: /.*/, namespace: 'css-text' }, async (a) => {
      const css = await build({ entryPoints: [a.path], bundle: true, minify: true, write: false, target: targets, legalComments: 'none' });
      const text = css.outputFiles[0].text.trim();
      const beside = readdirSync(dirname(a.path)).filter((f) => f.endsWith('.css')).map((f) => readFileSync(join(dirname(a.path), f), 'utf8'));
      const used = new Set([...[text, ...beside].join('').matchAll(/var\((--[\w-]+)/g)].map((m) => m[1]));
      return { contents: text.replace(/(--[\w-]+):[^;}]*(;|(?=\}))/g, (whole, name) => (used.has(name) ? whole : '')), loader: 'text' };
    });
  },
};

const common = {
  bundle: true, minify: true, format: 'esm', target: targets, legalComments: 'none', charset: 'utf8', metafile: true,
  absWorkingDir: web, outdir: out, plugins: [modules], logLevel: 'warning', tsconfig: join(web, 'tsconfig.json'),
  entryNames: 'assets/[name]-[hash]', chunkNames: 'assets/[name]-[hash]', assetNames: 'assets/[name]-[hash]',
};

async function bundle(entryPoints, options = {}) {
  const result = await build({ ...common, entryPoints, ...options });
  return Object.entries(result.metafile.outputs).map(([path, o]) => ({ url: `/${path.slice(path.indexOf('assets/'))}`, ...o }));
}

// --- the faces

function page(name, fill) {
  const html = readFileSync(src('html', `${name}.html`), 'utf8');
  writeFileSync(join(out, `${name}.html`), html.replace(/\{\{(\w+)\}\}/g, (_, key) => fill[key] ?? ''));
}

async function buildPage(entry, name) {
  const file = ['.tsx', '.ts'].map((e) => src(entry + e)).find(existsSync);
  if (!file) return;
  const outputs = await bundle({ [entry]: file }, { splitting: true });
  const main = outputs.find((o) => o.entryPoint?.endsWith(basename(file)) && o.url.endsWith('.js')); // a chunk that is imported later is an entry too
  const css = outputs.find((o) => o.url.endsWith('.css') && basename(o.url).startsWith(`${entry}-`));
  page(name, { js: main.url, css: css?.url ?? '' });
}

// later.js has no copy of what panel.js exports: such modules become imports from there.
function takeFrom(panel) {
  const shared = ['preact', 'preact/hooks', 'preact/jsx-runtime', 'ime', 'types', 'Button', 'Field', 'Icon', 'small', 'limits', 'search', 'ui'];
  return {
    name: 'from-panel',
    setup(b) {
      b.onResolve({ filter: /.*/ }, (a) => {
        const name = a.path.startsWith('.') ? basename(a.path, '.js') : a.path;
        return a.kind === 'import-statement' && shared.includes(name) ? { path: `./${basename(panel.url)}`, external: true } : undefined;
      });
    },
  };
}

async function buildWidget() {
  if (!existsSync(src('loader.ts'))) return;
  const dicts = {};
  for (const lang of LANGUAGES) {
    const [chunk] = await bundle({ [`widget-${lang}`]: `dict:widget/${lang}` });
    dicts[lang] = chunk.url;
  }
  const [panel] = await bundle({ panel: src('panel.tsx') });
  const [later] = await bundle({ later: src('later.tsx') }, { plugins: [takeFrom(panel), modules] });
  await build({
    ...common, entryPoints: { widget: src('loader.ts') }, entryNames: '[name]', format: 'iife',
    define: { PANEL_URL: JSON.stringify(panel.url), LATER_URL: JSON.stringify(later.url), DICT_URLS: JSON.stringify(dicts) },
  });
}

// --- .br and .gz, sizes

function compress(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) compress(path);
    else if (/\.(js|css|html|json|svg)$/.test(entry.name)) {
      const bytes = readFileSync(path);
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
    }
  }
}

function report(dir, prefix = '') {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) report(path, `${prefix}${entry.name}/`);
    else if (!/\.(gz|br)$/.test(entry.name)) {
      const size = (p) => (existsSync(p) ? (statSync(p).size / 1024).toFixed(2) : '-').padStart(7);
      console.log(`${size(path)} KB ${size(`${path}.gz`)} gz ${size(`${path}.br`)} br  ${prefix}${entry.name}`);
    }
  }
}

rmSync(join(out, 'assets'), { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });
try {
  await buildWidget();
  await buildPage('shop', 'index');
  await buildPage('console', 'console');
  await buildPage('qa', 'qa');
} catch (error) {
  if (!error.errors) console.error(error);
  process.exit(1);
}
compress(out);
if (process.argv.includes('--sizes')) report(out);
