import type { ComponentChildren, HTMLAttributes, Ref } from 'preact';
import { useId } from 'preact/hooks';
import * as icons from './icons.js';
import { Icon } from './Icon.js';

interface FieldProps {
  label: string;
  /** Said beside the label, e.g. "optional". */
  mark?: string | undefined;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (ids: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' }) => ComponentChildren;
}

/** Label, control, hint and error, tied together for assistive technology. The control is what `children` returns. */
export function Field({ label, mark, hint, error, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-h` : '', error ? `${id}-e` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label} {mark && <span class="field-optional">{mark}</span>}
      </label>
      {children({ id, ...(described ? { 'aria-describedby': described } : {}), ...(error ? { 'aria-invalid': 'true' as const } : {}) })}
      {hint && <div class="field-hint" id={`${id}-h`}>{hint}</div>}
      {error && <div class="field-error" id={`${id}-e`}><Icon path={icons.alert} size={14} />{error}</div>}
    </div>
  );
}

type Common = Pick<FieldProps, 'label' | 'mark' | 'hint' | 'error'>;

interface ControlProps<E extends HTMLElement> extends Omit<HTMLAttributes<E>, 'label' | 'role' | 'ref'> {
  value?: string;
  name?: string;
  placeholder?: string;
  autocomplete?: string;
  maxLength?: number;
  required?: boolean;
  disabled?: boolean;
  readOnly?: boolean;
  ref?: Ref<E>;
}

function common({ label, mark, hint, error }: Common) {
  return { label, ...(mark ? { mark } : {}), ...(hint ? { hint } : {}), ...(error ? { error } : {}) };
}

export interface TextFieldProps extends Common, ControlProps<HTMLInputElement> {
  type?: 'text' | 'password' | 'search' | 'email' | 'tel' | 'url' | 'number' | 'date' | 'time' | 'datetime-local';
  min?: string | number;
  max?: string | number;
  step?: string | number;
  pattern?: string;
}

export function TextField({ label, mark, hint, error, type = 'text', ...rest }: TextFieldProps) {
  return <Field {...common({ label, mark, hint, error })}>{(ids) => <input {...(rest as object)} {...ids} type={type as 'text'} class="field-input" />}</Field>;
}

export interface TextAreaProps extends Common, ControlProps<HTMLTextAreaElement> {
  rows?: number;
}

export function TextArea({ label, mark, hint, error, rows = 3, ...rest }: TextAreaProps) {
  return <Field {...common({ label, mark, hint, error })}>{(ids) => <textarea {...(rest as object)} {...ids} rows={rows} class="field-input" />}</Field>;
}

export interface SelectProps extends Common, ControlProps<HTMLSelectElement> {
  options: Array<{ value: string; text: string }>;
}

export function Select({ label, mark, hint, error, options, value, ...rest }: SelectProps) {
  return (
    <Field {...common({ label, mark, hint, error })}>
      {(ids) => (
        <select {...(rest as object)} {...ids} value={value} class="field-input">
          {options.map((o) => <option key={o.value} value={o.value}>{o.text}</option>)}
        </select>
      )}
    </Field>
  );
}

export interface CheckProps extends ControlProps<HTMLInputElement> {
  label: string;
  hint?: string;
  checked?: boolean;
}

export function Check({ label, hint, ...rest }: CheckProps) {
  return (
    <label class="check">
      <input {...(rest as object)} type="checkbox" />
      <span>{label}{hint && <><br /><span class="field-hint">{hint}</span></>}</span>
    </label>
  );
}
