// What an entry says to the shopper, in plain words. The transcript by download uses the same words.
import type { I18n } from '../../model/i18n.js';
import type { EventEntry, Person } from '../../model/types.js';

/** Null: nothing to say (the message itself, or a kind that is not for shoppers). */
export function entryWords(e: EventEntry, i: I18n): string | null {
  const who = (p: Person | undefined) => ({ name: p?.name ?? i.t('somebody') });
  switch (e.kind) {
    case 'assigned':
      return i.t('event.assigned', who(e.to));
    case 'owned':
      return i.t('event.owned', who(e.owner));
    case 'transferred':
      return e.owner && e.owner.id !== e.handler?.id
        ? i.t('event.transferred', { ...who(e.handler), owner: who(e.owner).name })
        : i.t('event.reassigned', who(e.handler));
    case 'reassigned':
      return i.t('event.reassigned', who(e.handler ?? e.to));
    case 'taken_back':
      return i.t('event.taken_back', who(e.handler));
    case 'handler_lost':
      return i.t('event.handler_lost');
    case 'handler_back':
      return i.t('event.handler_back', who(e.handler));
    case 'confirmed':
      return i.t('event.confirmed');
    case 'refused':
      return i.t('event.refused');
    case 'reopened':
      return i.t('event.reopened');
    case 'unparked':
      return i.t('event.unparked');
    case 'promise_kept':
      return i.t('event.promise_kept');
    case 'rated':
      return i.t('event.rated', { score: e.score ?? 0 });
    case 'left':
      return i.t('event.left');
    case 'abandoned':
      return i.t('event.abandoned');
    case 'closed':
      return i.t('event.closed');
    case 'redacted':
      return i.t('event.redacted');
    case 'resolution_proposed':
      return i.t('event.proposed', { text: e.summary ?? '' });
    case 'referred':
      return i.t(e.by ? 'event.referred_by' : 'event.referred', { who: e.who ?? '', how: e.how ?? '', by: e.by ?? '' });
    case 'parked':
      return i.t('event.promised', { text: e.promise ?? '', when: e.until ? when(e.until, e.at, i) : '' });
    case 'promised':
      return i.t('event.promised', { text: e.text ?? '', when: e.until ? when(e.until, e.at, i) : '' });
    default:
      return null;
  }
}

export function when(ms: number, now: number, i: I18n): string {
  return `${i.day(ms, now)} ${i.time(ms)}`;
}
