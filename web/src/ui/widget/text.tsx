// Text from people and articles, shown as text: links of four kinds, and of Markdown paragraphs, lists and bold.
import type { ComponentChildren } from 'preact';

const link = /((?:https?:\/\/|mailto:|tel:)[^\s<>"'，。！？；：、（）【】《》]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/gi;

/** http, https, mailto and tel become links that show where they lead. */
export function Linked({ text }: { text: string }) {
  return (
    <>
      {text.split(link).map((part, i) => {
        if (i % 2 === 0) return part;
        const tail = /[.,!?;:)\]]+$/.exec(part)?.[0] ?? '';
        const address = part.slice(0, part.length - tail.length);
        const href = /^(https?|mailto|tel):/i.test(address) ? address : `mailto:${address}`;
        return <><a href={href} target="_blank" rel="noopener noreferrer nofollow" key={i}>{address}</a>{tail}</>;
      })}
    </>
  );
}

function inline(text: string): ComponentChildren {
  return text.split(/\*\*(.+?)\*\*/).map((part, i) => (i % 2 ? <strong key={i}>{part}</strong> : <Linked text={part} key={i} />));
}

const item = /^\s*(?:[-*]|\d+[.)])\s+/;

/** The little Markdown that articles use; everything else stays as it is written. */
export function Article({ text }: { text: string }) {
  return (
    <div class="article-text" dir="auto">
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

/** Unicode characters, as the server counts. */
export const countChars = (text: string) => [...text].length;

export const TEXT_CHARS = 4000;
