// What the server refused, in the reader's words.
import { assertNever } from '../../model/types.js';
import type { ErrorCode, Refusal } from '../../model/types.js';
import { stateText } from './labels.js';
import { t } from './words.js';

export function codeText(code: ErrorCode): string {
  switch (code) {
    case 'bad_request': return t('error.bad_request');
    case 'too_large': return t('error.too_large');
    case 'unauthorized': return t('error.unauthorized');
    case 'forbidden': return t('error.forbidden');
    case 'not_found': return t('error.not_found');
    case 'not_handler': return t('error.not_handler_nobody');
    case 'conflict': return t('error.conflict');
    case 'rate_limited': return t('error.rate_limited');
    case 'unavailable': return t('error.not_done'); // an act is tried once; texts wait in the outbox
    case 'closed': return t('error.closed');
    case 'resolution_required': return t('error.resolution_required');
    case 'internal': return t('error.internal');
    default: return assertNever(code);
  }
}

export function refusalText(refusal: Refusal): string {
  if (refusal.code === 'not_handler' && refusal.handler) return t('error.not_handler', { name: refusal.handler.name ?? refusal.handler.id });
  if (refusal.code === 'conflict' && refusal.state) return t('error.conflict_state', { state: stateText(refusal.state) });
  return codeText(refusal.code);
}
