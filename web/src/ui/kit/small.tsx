import type { ComponentChildren } from 'preact';

export type Tone = 'brand' | 'good' | 'warn' | 'bad' | 'info' | 'note';

/** A short fact; its words carry the meaning, the tone only helps. */
export function Badge({ tone, title, children }: { tone?: Tone; title?: string; children: ComponentChildren }) {
  return <span class={tone ? `badge ${tone}` : 'badge'} title={title}>{children}</span>;
}

/** The first letter of a name in a colour that belongs to the name. Decoration: the name stands beside it. */
export function Avatar({ name, small, dot }: { name: string; small?: boolean; dot?: 'on' | 'paused' | 'off' }) {
  let hue = 0;
  for (const c of name) hue = (hue * 31 + (c.codePointAt(0) ?? 0)) % 6;
  return (
    <span class={`avatar h${hue}${small ? ' small' : ''}`} aria-hidden="true">
      {[...name.trim()][0] ?? '·'}
      {dot && <span class={`avatar-dot ${dot}`} />}
    </span>
  );
}

export function Spinner({ label }: { label: string }) {
  return <span class="spinner" role="img" aria-label={label} />;
}
