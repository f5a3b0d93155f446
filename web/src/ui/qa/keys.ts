// Keys of QA: ↑ ↓ jump, ← → criterion, digits score, X not applicable, C comment, Ctrl Enter submits, / search, E events, ? keys.
import { signal } from '@preact/signals';
import { isTextField } from '../../actions/keys.js';
import { ime } from '../../model/ime.js';
import { settings } from '../../state/console/settings.js';
import { MAX_SCORE } from '../../state/qa/marks.js';
import type { Qa } from '../../state/qa/qa.js';

export const keysOpen = signal(false);

function run(e: KeyboardEvent, qa: Qa): boolean {
  const reads = qa.transcript.peek().at === 'here';
  if (e.key === '/') document.querySelector<HTMLInputElement>('#qa-search')?.focus();
  else if (e.key === '?') keysOpen.value = true;
  else if (!reads) return false;
  else if (e.key === 'ArrowDown') qa.jump(1);
  else if (e.key === 'ArrowUp') qa.jump(-1);
  else if (e.key === 'ArrowRight') qa.stepCriterion(1);
  else if (e.key === 'ArrowLeft') qa.stepCriterion(-1);
  else if (e.key.toLowerCase() === 'e') qa.showEvents.value = !qa.showEvents.peek();
  else if (e.key === 'Escape') qa.close();
  else if (!qa.mayJudge) return false;
  else if (/^[0-9]$/.test(e.key) && Number(e.key) <= MAX_SCORE) qa.scoreHere(Number(e.key));
  else if (e.key.toLowerCase() === 'x') qa.scoreHere(null);
  else if (e.key.toLowerCase() === 'c') qa.comment(qa.card.peek()?.criteria[qa.criterion.peek()]?.id ?? '');
  else return false;
  return true;
}

export function followQaKeys(target: Document, qa: Qa): () => void {
  const onKey = (e: KeyboardEvent) => {
    if (e.defaultPrevented || ime.owns(e) || keysOpen.peek()) return;
    if ((e.ctrlKey || e.metaKey) && e.key === 'Enter') {
      e.preventDefault();
      void qa.submit();
      return;
    }
    const inMenu = e.target instanceof Element && e.target.closest('[role=menu],[role=dialog],[role=listbox]') !== null;
    if (e.ctrlKey || e.metaKey || e.altKey || isTextField(e.target) || inMenu) return;
    if (e.key.length === 1 && !settings.value.letterKeys) return;
    // A focused radio or checkbox keeps its own arrows.
    if (e.target instanceof HTMLInputElement && e.key.startsWith('Arrow')) return;
    if (run(e, qa)) e.preventDefault();
  };
  target.addEventListener('keydown', onKey);
  return () => target.removeEventListener('keydown', onKey);
}
