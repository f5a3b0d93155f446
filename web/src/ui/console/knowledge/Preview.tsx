// An article as shoppers and reps read it: the server's safe HTML, of which only known elements are taken over.
import { h } from 'preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { preview } from '../../../state/console/knowledge.js';
import { Spinner } from '../../kit/index.js';
import { t } from './words.js';

const WAIT_MS = 300;
const known = new Set(['p', 'ul', 'ol', 'li', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'br', 'hr', 'table', 'thead', 'tbody', 'tr', 'th', 'td']);
const safe = /^(https?:|mailto:|tel:)/i;

interface Policy { createHTML: (s: string) => string }
const types = (globalThis as { trustedTypes?: { createPolicy: (name: string, rules: Policy) => Policy } }).trustedTypes;
let policy: Policy | null = null;

/** Parsed into a document that runs nothing; never put into this page as it is. */
function parse(html: string): HTMLElement {
  policy ??= types?.createPolicy('firstline-preview', { createHTML: (s) => s }) ?? { createHTML: (s) => s };
  return new DOMParser().parseFromString(policy.createHTML(html), 'text/html').body;
}

function take(node: Node, key: number): ComponentChildren {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element)) return null;
  const name = node.tagName.toLowerCase();
  const inner = [...node.childNodes].map(take);
  if (/^h[1-6]$/.test(name)) return <h4 key={key}>{inner}</h4>;
  const href = node.getAttribute('href') ?? '';
  if (name === 'a' && safe.test(href)) return <a key={key} href={href} target="_blank" rel="noopener noreferrer nofollow">{inner}</a>;
  return known.has(name) ? h(name, { key }, inner.length > 0 ? inner : null) : inner;
}

export function Preview({ body }: { body: string }) {
  const [html, setHtml] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    const timer = setTimeout(() => preview(body).then((x) => !gone && (setHtml(x), setFailed(false)), () => !gone && setFailed(true)), html === null ? 0 : WAIT_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [body]);
  if (failed) return <p class="soft">{t('kb.preview_failed')}</p>;
  if (html === null) return <Spinner label={t('kb.loading')} />;
  return <div class="kb-preview" dir="auto">{[...parse(html).childNodes].map(take)}</div>;
}
