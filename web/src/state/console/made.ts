// The entries that a rep's own commands became, made from their `ok`: the widget has no need of these kinds.
import { entryBase } from '../../model/log.js';
import type { ClientMessage, Draft, EventEntry, From, ServerOk } from '../../model/types.js';

/** Null: it has to be fetched. */
export function entryMade(message: ClientMessage, ok: ServerOk, from: From, now: number): EventEntry | null {
  const base = entryBase(message, ok, from, now);
  if (!base) return null;
  switch (message.t) {
    case 'message.send':
      return { ...base, kind: 'message', text: message.text, ...(message.attachment ? { attachment: message.attachment } : {}), ...(message.article ? { article: message.article } : {}),
        ...(ok.counts === undefined ? {} : { counts: ok.counts }) };
    case 'note.add':
      return { ...base, kind: 'note', text: message.text, ...(message.mentions ? { mentions: message.mentions } : {}) };
    case 'whisper':
      return { ...base, kind: 'whisper', text: message.text, ...(message.mentions ? { mentions: message.mentions } : {}) };
    case 'chat.resolve':
      return { ...base, kind: 'resolution_proposed', resolution: message.resolution, summary: message.summary };
    case 'chat.park':
      return { ...base, kind: 'parked', promise: message.promise, until: message.until };
    case 'chat.refer':
      return { ...base, kind: 'referred', who: message.who, how: message.how, ...(message.by ? { by: message.by } : {}) };
    case 'chat.tag':
      return { ...base, kind: 'tagged', add: message.add ?? [], remove: message.remove ?? [] };
    case 'chat.verify':
      return { ...base, kind: 'verified', checks: message.checks };
    case 'consult.answer':
      return { ...base, kind: 'consult_answered', text: message.text };
    default:
      return null;
  }
}

/** The command that an own entry came from, to send it again under its id: the same content, else it would be a conflict. Null: it is none of the texts. */
export function commandOf(e: EventEntry): Draft | null {
  const id = e.ref ? { id: e.ref } : {};
  switch (e.kind) {
    case 'message':
      return { t: 'message.send', ...id, chat: e.chat, text: e.text, ...(e.attachment ? { attachment: e.attachment } : {}), ...(e.article ? { article: e.article } : {}) };
    case 'note':
    case 'whisper':
      return { t: e.kind === 'note' ? 'note.add' : 'whisper', ...id, chat: e.chat, text: e.text, ...(e.mentions ? { mentions: e.mentions } : {}) };
    default:
      return null;
  }
}
