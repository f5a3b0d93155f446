// One line: free text and chips. What is typed as `rep:` or `tag:` becomes a chip; the filters do the same by mouse.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ime } from '../../model/ime.js';
import { departmentText } from '../../state/console/labels.js';
import { t } from '../../state/console/words.js';
import { chips, emptyQuery, hasChips, isDay, readLine } from '../../state/qa/query.js';
import type { Chip, Query } from '../../state/qa/query.js';
import type { Qa } from '../../state/qa/qa.js';
import { Button, Check, Icon, IconButton, Select, TextField, icons } from '../kit/index.js';
import { useQa } from './qaContext.js';

export function chipName(chip: Chip): string {
  switch (chip) {
    case 'rep': return t('chip.rep');
    case 'department': return t('chip.department');
    case 'tag': return t('chip.tag');
    case 'rating': return t('chip.rating');
    case 'from': return t('chip.from');
    case 'to': return t('chip.to');
    default: return t('chip.owner_changed');
  }
}

function chipValue(qa: Qa, chip: Chip, query: Query): string {
  const value = query[chip];
  if (typeof value === 'boolean') return '';
  return chip === 'rep' ? qa.nameOf(value) : chip === 'department' ? departmentText(value) : value;
}

export function SearchLine() {
  const qa = useQa();
  const query = qa.query.value;
  const [text, setText] = useState(query.q);
  const [filters, setFilters] = useState(false);
  const wrap = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => setText(query.q), [query]);
  useEffect(() => {
    if (!filters) return undefined;
    const outside = (e: Event) => !e.composedPath().includes(wrap.current as EventTarget) && setFilters(false);
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [filters]);

  const go = (next: Query) => qa.search(qa.named(next));
  const without = (chip: Chip): Query => ({ ...query, [chip]: chip === 'ownerChanged' ? false : '' });
  const onKeyDown = (e: KeyboardEvent) => {
    if (ime.owns(e)) return;
    if (e.key === 'Enter') {
      e.preventDefault();
      setFilters(false);
      go(readLine(text, query));
    } else if (e.key === 'Backspace' && text === '') {
      const last = [...chips].reverse().find((c) => query[c] !== '' && query[c] !== false);
      if (last) go(without(last));
    } else if (e.key === 'Escape' && !filters) {
      field.current?.blur();
      e.stopPropagation();
    }
  };
  return (
    <div class="qa-search" ref={wrap} role="search" onKeyDown={(e) => {
      if (e.key !== 'Escape' || ime.owns(e) || !filters) return;
      e.stopPropagation();
      setFilters(false);
      field.current?.focus();
    }}>
      <div class="qa-line">
        <Icon path={icons.search} size={17} />
        {chips.filter((c) => query[c] !== '' && query[c] !== false).map((c) => (
          <span class="qa-chip" key={c}>
            <span class="qa-chip-name">{chipName(c)}</span>{c !== 'ownerChanged' && <b dir="auto">{chipValue(qa, c, query)}</b>}
            <button type="button" aria-label={t('chip.remove', { name: `${chipName(c)} ${chipValue(qa, c, query)}` })} onClick={() => go(without(c))}><Icon path={icons.close} size={12} /></button>
          </span>
        ))}
        <input id="qa-search" ref={field} type="text" value={text} placeholder={hasChips(query) ? '' : t('search.hint')} aria-label={t('search.label')} autocomplete="off" spellcheck={false}
          enterkeyhint="search" onInput={(e) => setText(e.currentTarget.value)} onKeyDown={onKeyDown} />
        {(query.q !== '' || hasChips(query)) && <IconButton small icon={icons.close} label={t('search.clear')} onClick={() => go(emptyQuery)} />}
        <IconButton small icon={icons.filter} label={t('search.filters')} aria-expanded={filters} onClick={() => setFilters(!filters)} />
      </div>
      {filters && <Filters query={qa.named(readLine(text, query))} onGo={(q) => { setFilters(false); go(q); }} />}
    </div>
  );
}

function Filters({ query, onGo }: { query: Query; onGo: (q: Query) => void }) {
  const qa = useQa();
  const [q, setQ] = useState(query);
  const set = (change: Partial<Query>) => setQ({ ...q, ...change });
  const names = [...new Set([...qa.session.departments, ...qa.people.value.flatMap((p) => p.departments ?? [])])].sort();
  const any = { value: '', text: t('filter.any') };
  return (
    <form class="qa-filters" onSubmit={(e) => { e.preventDefault(); onGo({ ...q, tag: q.tag.trim() }); }}>
      <div class="qa-filter-grid">
        <Select label={t('chip.rep')} value={q.rep} onChange={(e) => set({ rep: e.currentTarget.value })} options={[any, ...qa.people.value.map((p) => ({ value: p.id, text: p.name }))]} />
        <Select label={t('chip.department')} value={q.department} onChange={(e) => set({ department: e.currentTarget.value })} options={[any, ...names.map((n) => ({ value: n, text: departmentText(n) }))]} />
        <Select label={t('chip.rating')} value={q.rating} onChange={(e) => set({ rating: e.currentTarget.value })} options={[any, ...['1', '2', '3', '4', '5'].map((n) => ({ value: n, text: n }))]} />
        <TextField label={t('chip.tag')} value={q.tag} dir="auto" onInput={(e) => set({ tag: e.currentTarget.value })} />
        <TextField label={t('chip.from')} type="date" value={q.from} onInput={(e) => set({ from: isDay(e.currentTarget.value) ? e.currentTarget.value : '' })} />
        <TextField label={t('chip.to')} type="date" value={q.to} onInput={(e) => set({ to: isDay(e.currentTarget.value) ? e.currentTarget.value : '' })} />
      </div>
      <Check label={t('filter.owner_changed')} checked={q.ownerChanged} onChange={(e) => set({ ownerChanged: e.currentTarget.checked })} />
      <p class="soft">{t('filter.typed')}</p>
      <div class="qa-filter-acts">
        <Button onClick={() => onGo({ ...emptyQuery, q: q.q })}>{t('filter.reset')}</Button>
        <Button kind="primary" type="submit" icon={icons.search}>{t('search.go')}</Button>
      </div>
    </form>
  );
}
