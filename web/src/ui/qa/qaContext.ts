import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Qa } from '../../state/qa/qa.js';

export const QaContext = createContext<Qa | null>(null);

export function useQa(): Qa {
  const qa = useContext(QaContext);
  if (!qa) throw new Error('outside of QA');
  return qa;
}
