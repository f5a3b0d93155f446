// Whom one may hand over to or ask: colleagues, those on shift first, and departments.
import type { Desk } from '../../../state/console/desk.js';
import { presenceText } from '../../../state/console/labels.js';
import { t } from '../../../state/console/words.js';
import { Field } from '../../kit/index.js';

const order: Record<string, number> = { on: 0, paused: 1 };

export function Receivers({ desk, value, onPick, label, people = true, departments = true, onShiftOnly = false, self = false }: {
  desk: Desk; value: string; onPick: (to: string) => void; label: string; people?: boolean; departments?: boolean; onShiftOnly?: boolean; self?: boolean;
}) {
  const others = desk.people.value.filter((p) => self || p.id !== desk.me.id)
    .sort((a, b) => (order[a.state] ?? 2) - (order[b.state] ?? 2) || (a.name < b.name ? -1 : 1));
  const names = new Set([...desk.departments.value, ...desk.queues.value.map((q) => q.department), ...desk.people.value.flatMap((p) => p.departments ?? [])]);
  return (
    <Field label={label}>
      {(ids) => (
        <select {...ids} class="field-input" autoFocus value={value} onChange={(e) => onPick(e.currentTarget.value)}>
          <option value="" disabled>{t('choose')}</option>
          {people && (
            <optgroup label={t('receivers.people')}>
              {others.map((p) => (
                <option key={p.id} value={p.id} disabled={onShiftOnly && p.state !== 'on'}>{p.name} · {presenceText(p.state)}{p.departments?.length ? ` · ${p.departments.map((d) => desk.departmentText(d)).join(', ')}` : ''}</option>
              ))}
            </optgroup>
          )}
          {departments && (
            <optgroup label={t('receivers.departments')}>
              {[...names].sort().map((name) => <option key={name} value={name}>{desk.departmentText(name)}</option>)}
            </optgroup>
          )}
        </select>
      )}
    </Field>
  );
}
