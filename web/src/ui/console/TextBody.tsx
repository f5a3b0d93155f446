// Message text: text to the end. Only http, https, mailto and tel become links, and the true host is shown.
import type { ComponentChildren } from 'preact';

const linkLike = /\b(?:https?:\/\/[^\s<>"'，。；！？、）】」]+|mailto:[^\s<>"']+|tel:\+?[\d-]+)/gi;

interface Part {
  text: string;
  href?: string;
}

export function splitLinks(text: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const hit of text.matchAll(linkLike)) {
    const raw = hit[0].replace(/[.,;:!?)\]]+$/, '');
    if (hit.index > from) parts.push({ text: text.slice(from, hit.index) });
    parts.push(linkOf(raw));
    from = hit.index + raw.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function linkOf(raw: string): Part {
  try {
    const url = new URL(raw);
    // user:password@host would show a host that is not the true one
    const shown = url.username !== '' ? `${url.protocol}//${url.host}${url.pathname}` : raw;
    return { text: shown, href: url.href };
  } catch {
    return { text: raw };
  }
}

/** Marks what was searched for, without regard to case. */
export function marked(text: string, words: readonly string[]): ComponentChildren {
  if (words.length === 0) return text;
  const pattern = new RegExp(`(${words.map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'gi');
  return text.split(pattern).map((piece, i) => (i % 2 === 1 ? <mark key={i}>{piece}</mark> : piece));
}

export function TextBody({ text, mark = [] }: { text: string; mark?: readonly string[] }) {
  return (
    <div class="text-body" dir="auto">
      {splitLinks(text).map((part, i) => part.href === undefined
        ? <span key={i}>{marked(part.text, mark)}</span>
        : <a key={i} href={part.href} target="_blank" rel="noopener noreferrer nofollow">{marked(part.text, mark)}</a>)}
    </div>
  );
}
