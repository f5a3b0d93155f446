// An article's text: of Markdown paragraphs, lists and bold; everything else stays as it is written.
import type { ComponentChildren } from 'preact';
import { Linked } from './text.js';

function inline(text: string): ComponentChildren {
  return text.split(/\*\*(.+?)\*\*/).map((part, i) => (i % 2 ? <strong key={i}>{part}</strong> : <Linked text={part} key={i} />));
}

const item = /^\s*(?:[-*]|\d+[.)])\s+/;

export function Article({ title, text }: { title: string; text: string }) {
  return (
    <div class="article-text" dir="auto" role="group" aria-label={title} tabIndex={0}>
      {text.split(/\n\s*\n/).map((block, i) => {
        const lines = block.split('\n').filter((l) => l.trim());
        const head = /^#+\s+(.*)/.exec(lines[0] ?? '');
        if (head) return <p key={i}><strong>{head[1]}</strong></p>;
        if (lines.length === 0 || !item.test(lines[0] ?? '')) return <p key={i}>{inline(lines.join('\n'))}</p>;
        const rows = lines.map((l) => <li key={l}>{inline(l.replace(item, ''))}</li>);
        return /^\s*\d/.test(lines[0] ?? '') ? <ol key={i}>{rows}</ol> : <ul key={i}>{rows}</ul>;
      })}
    </div>
  );
}
