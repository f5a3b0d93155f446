// One entry of the log, in words, for the quiet rows of the console and the rail of QA.
import type { EventEntry, From, Person, Target } from '../../model/types.js';
import { alertActionText, checkText, classText, departmentText, resolutionText } from '../../state/console/labels.js';
import type { AlertAction } from '../../state/console/labels.js';
import { i18n, shortWhen, t } from '../../state/console/words.js';
import { icons } from '../kit/index.js';

export interface EventLine {
  icon: string;
  text: string;
  /** What was written: a summary, a promise, a reason. */
  detail?: string;
  /** Stands out: something that the shopper sees, or that changes who is responsible. */
  strong?: boolean;
}

const short = (role: From['role']): string => {
  switch (role) {
    case 'shopper': return t('role.shopper');
    case 'system': return t('role.system');
    case 'bot': return t('role.bot');
    default: return t('role.staff');
  }
};

export function fromName(from: From): string {
  return from.name || short(from.role);
}

/** What the machine said of itself: a greeting and a farewell are no care while waiting. */
const manners = new Set(['greeting', 'checkin', 'farewell']);
export const careName = (step: string | undefined): string => (step !== undefined && manners.has(step) ? t(`event.care.${step}`) : t('event.care'));

const named = (who: Person | undefined): string => who?.name || who?.id || t('nobody');
export const targetText = (to: Target | undefined): string => {
  if (to?.department !== undefined) return to.name !== undefined && to.name !== '' && to.name !== to.department ? `${to.name} (${departmentText(to.department)})` : departmentText(to.department);
  return to?.name || to?.id || t('nobody');
};
const when = (ms: number | undefined): string => (ms === undefined ? '' : shortWhen(ms));
const line = (icon: string, text: string, detail?: string, strong = false): EventLine => ({ icon, text, ...(detail ? { detail } : {}), ...(strong ? { strong } : {}) });
const joined = (parts: Array<string | undefined>): string => parts.filter((p) => p !== undefined && p !== '').join(' · ');

/** Reasons that the machine gives are short words; those that we know are said in the reader's language. */
export function why(word: string | undefined): string {
  switch (word) {
    case undefined: return '';
    case 'started': return '';
    case 'least_loaded': return t('why.least_loaded');
    case 'owner': return t('why.owner');
    case 'chosen': return t('why.chosen');
    case 'off_shift': return t('presence.off');
    case 'paused': return t('presence.paused');
    case 'away': return t('presence.away');
    case 'full': return t('why.full');
    case 'skill': return t('why.skill');
    case 'language': return t('why.language');
    case 'passed': return t('why.passed');
    case 'busier': return t('why.busier');
    case 'less_idle': return t('why.less_idle');
    case 'not_owner': return t('why.not_owner');
    case 'keyword': return t('why.keyword');
    case 'kb': return t('why.kb');
    case 'topic': return t('why.topic');
    case 'shopper': return t('why.shopper');
    case 'connection': return t('why.gone');
    case 'offline': return t('why.gone');
    case 'shift_ended': return t('why.shift_ended');
    case 'deadline': return t('why.missed');
    case 'due': return t('why.due');
    case 'long_wait': return t('alert.kind_wait');
    case 'default': return '';
    case 'abandoned': return '';
    case 'refused': return t('why.refused');
    case 'silent': return t('why.silent');
    case 'quick_return': return t('why.quick_return');
    case 'message': return t('why.message');
    case 'left': return t('why.left');
    case 'gone': return t('why.gone');
    case 'declined': return t('why.declined');
    case 'missed': return t('why.missed');
    case 'timeout': return t('why.missed');
    case 'triaged': return '';
    case 'rep': return '';
    case 'confirmed': return t('why.confirmed');
    case 'unconfirmed': return t('why.unconfirmed');
    case 'unanswered': return t('why.unanswered');
    case 'resolved': return t('why.resolved');
    case 'parked': return t('state.parked');
    case 'taken_back': return t('why.taken_back');
    case 'reassigned': return t('why.reassigned');
    case 'handler_lost': return t('why.gone');
    default: return word;
  }
}

/** Whom an alert of this level reaches (rule 3.2). */
const alertedText = (level: number): string => (level <= 1 ? t('event.alerted_lead') : level === 2 ? t('event.alerted_director') : t('event.alerted_top'));
const actionText = (action: string | undefined): string => (action === undefined ? '' : alertActionText(action as AlertAction));

function assigned(e: Extract<EventEntry, { kind: 'assigned' }>): EventLine {
  const name = named(e.to);
  switch (e.how) {
    case 'claim': return line(icons.user, t('event.assigned_claim', { name }));
    case 'reply': return line(icons.user, t('event.assigned_reply', { name }));
    case 'return': return line(icons.user, t('event.assigned_return', { name }), undefined, true);
    default: return line(icons.user, t('event.assigned', { name }));
  }
}

function handovers(e: EventEntry): EventLine | null {
  const by = fromName(e.from);
  switch (e.kind) {
    case 'consulted': return line(icons.users, t('event.consulted', { by, to: targetText(e.to) }), e.question, true);
    case 'consult_answered': return line(icons.users, t('event.consult_answered', { by }), e.text, true);
    case 'transfer_offered': {
      const card = e.card;
      const verified = (card?.verified ?? []).map(checkText).join(', ');
      return line(icons.handover, t('event.transfer_offered', { by, to: targetText(e.to) }), joined([card?.summary, card?.requirements, verified, card?.promised]));
    }
    case 'transferred': return line(icons.handover, t('event.transferred', { to: named(e.handler ?? e.to) }), undefined, true);
    case 'transfer_returned': return line(icons.handover, t('event.transfer_returned', { to: targetText(e.to) }), why(e.reason));
    case 'taken_back': return line(icons.back, t('event.taken_back', { to: named(e.handler) }), e.reason, true);
    case 'reassigned': return line(icons.user, t('event.reassigned', { by, to: named(e.handler ?? e.to) }), e.reason, true);
    case 'handler_lost': return line(icons.wifiOff, t('event.handler_lost', { to: named(e.handler) }), why(e.why), true);
    case 'handler_back': return line(icons.wifiOff, t('event.handler_back', { to: named(e.handler) }), undefined, true);
    case 'joined': return line(icons.users, t('event.joined', { by }), undefined, true);
    case 'escalated': return line(icons.arrowUp, t('event.escalated', { by, to: targetText(e.to) }), e.reason, true);
    default: return null;
  }
}

function queueing(e: EventEntry): EventLine | null {
  switch (e.kind) {
    case 'started': return line(icons.chat, t('event.started'), joined([e.topic, e.page]));
    case 'triaged': return line(icons.flag, t('event.triaged', { department: departmentText(e.department ?? '') }), e.reason ?? why(e.why));
    case 'queued': return line(icons.clock, t('event.queued', { department: departmentText(e.department ?? ''), class: classText(e.class ?? 'normal') }), why(e.why));
    case 'offered': return line(icons.bell, t('event.offered', { to: named(e.to) }), why(e.why));
    case 'offer_missed': return line(icons.bellOff, t('event.offer_missed', { to: named(e.to) }));
    case 'offer_declined': return line(icons.bellOff, t('event.offer_declined', { to: named(e.to) }), why(e.reason));
    case 'assigned': return assigned(e);
    case 'owned': return line(icons.pin, t('event.owned', { to: named(e.owner) }), undefined, true);
    case 'reminded': return line(icons.bell, t('event.reminded', { to: named(e.to) }), why(e.what));
    case 'alerted': return line(icons.alert, alertedText(e.level ?? 1), why(e.what));
    case 'alert_acted': return line(icons.check, t('event.alert_acted', { by: fromName(e.from) }), joined([actionText(e.action), e.note]));
    case 'left': return line(icons.leave, t('event.left'));
    case 'abandoned': return line(icons.leave, t('event.abandoned', { span: i18n.value.span(e.waited_ms ?? 0) }), why(e.why));
    default: return null;
  }
}

function outcome(e: EventEntry): EventLine | null {
  const by = fromName(e.from);
  switch (e.kind) {
    case 'referred': return line(icons.phone, t('event.referred', { by, who: e.who ?? '' }), joined([e.how, e.by]), true);
    case 'promised': return line(icons.clock, t('event.promised', { by, until: when(e.until) }), e.text, true);
    case 'promise_kept': return line(icons.check, t('event.promise_kept'));
    case 'promise_missed': return line(icons.alert, t('event.promise_missed'), undefined, true);
    case 'parked': return line(icons.park, t('event.parked', { by, until: when(e.until) }), e.promise, true);
    case 'unparked': return line(icons.play, t('event.unparked'), why(e.why));
    case 'resolution_proposed': return line(icons.check, t('event.resolution_proposed', { by, how: resolutionText(e.resolution ?? '') }), e.summary, true);
    case 'confirmed': return line(icons.check, t('event.confirmed'), undefined, true);
    case 'refused': return line(icons.close, t('event.refused'), e.text, true);
    case 'reopened': return line(icons.refresh, t('event.reopened'), why(e.why), true);
    case 'rated': return line(icons.star, t('event.rated', { n: e.score ?? 0 }), e.comment, true);
    case 'closed': return line(icons.lock, t('event.closed'), why(e.how ?? e.why), true);
    case 'request_filed': return line(icons.folder, t('event.request_filed', { by }), e.text ?? e.request, true);
    case 'complaint_opened': return line(icons.alert, t('event.complaint_opened', { by }), e.text ?? e.complaint, true);
    case 'complaint_moved': return line(icons.alert, t('event.complaint_moved', { level: e.level ?? 0 }));
    default: return null;
  }
}

export function eventLine(e: EventEntry): EventLine {
  const by = fromName(e.from);
  const known = queueing(e) ?? handovers(e) ?? outcome(e);
  if (known) return known;
  switch (e.kind) {
    case 'care': return line(icons.heart, careName(e.step), e.text, true);
    case 'identified': return line(icons.user, t('event.identified', { name: e.shopper?.name ?? e.name ?? '' }));
    case 'verified': return line(icons.shield, t('event.verified', { by, what: (e.checks ?? []).map(checkText).join(', ') }));
    case 'tagged': return line(icons.tag, t('event.tagged', { by }), joined([(e.add ?? []).map((x) => `+${x}`).join(' '), (e.remove ?? []).map((x) => `−${x}`).join(' ')]));
    case 'suggested': return line(icons.book, t('event.suggested'), (e.articles ?? []).map((a) => `${a.title} ${Math.round(a.confidence * 100)} %`).join(' · '));
    case 'suggestion_used': return line(icons.book, t('event.suggestion_used'), e.article);
    case 'moved': return line(icons.refresh, t('event.moved'));
    case 'redacted': return line(icons.close, t('event.redacted'), e.why);
    case 'note': return line(icons.note, t('event.note', { by }), e.text);
    case 'whisper': return line(icons.lock, t('event.whisper', { by }), e.text);
    case 'message': return line(icons.chat, by, e.text);
    default: return line(icons.info, e.kind);
  }
}
