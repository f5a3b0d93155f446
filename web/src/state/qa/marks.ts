// A review while it is written: one mark a criterion. Kept in storage until it is sent.
import { isObject } from '../../model/types.js';

export interface Criterion {
  id: string;
  title: Record<string, string>;
  weight: number;
  auto_fail: boolean;
  help?: Record<string, string> | string;
}

export interface Scorecard {
  id: string;
  version: number;
  title: Record<string, string> | string;
  criteria: Criterion[];
}

/** `undefined`: not marked yet, null: does not apply. */
export interface Mark {
  score?: number | null;
  comment?: string;
  /** The message that shows it. */
  seq?: number;
}

export interface Sheet {
  marks: Record<string, Mark>;
  comment: string;
  ref?: string;
}

export interface Review {
  id: string;
  chat: string;
  score: number;
  at: number;
  reviewer: string;
  reviewer_name?: string;
  auto_failed?: boolean;
  scorecard?: string;
  marks: Array<{ criterion: string; score: number | null; comment?: string; seq?: number }>;
  comment?: string;
}

export const MAX_SCORE = 5;
export const emptySheet: Sheet = { marks: {}, comment: '' };

export function isComplete(sheet: Sheet, card: Scorecard): boolean {
  return card.criteria.every((c) => sheet.marks[c.id]?.score !== undefined) && previewScore(sheet, card) !== null;
}

export function isTouched(sheet: Sheet): boolean {
  return sheet.comment !== '' || Object.keys(sheet.marks).length > 0;
}

/** In percent, as the server will count it; null while nothing is marked. */
export function previewScore(sheet: Sheet, card: Scorecard): { percent: number; failed: boolean } | null {
  let sum = 0;
  let weights = 0;
  let failed = false;
  for (const c of card.criteria) {
    const score = sheet.marks[c.id]?.score;
    if (typeof score !== 'number') continue;
    if (c.auto_fail && score === 0) failed = true;
    sum += (c.weight * score) / MAX_SCORE;
    weights += c.weight;
  }
  if (weights === 0) return failed ? { percent: 0, failed } : null;
  return { percent: failed ? 0 : Math.round((sum / weights) * 1000) / 10, failed };
}

export function toBody(chat: string, sheet: Sheet, card: Scorecard): unknown {
  return {
    ...(sheet.ref ? { ref: sheet.ref } : {}),
    chat,
    scorecard: card.id,
    marks: card.criteria.flatMap((c) => {
      const mark = sheet.marks[c.id];
      if (mark?.score === undefined) return [];
      return [{ criterion: c.id, score: mark.score, ...(mark.comment?.trim() ? { comment: mark.comment.trim() } : {}), ...(mark.seq === undefined ? {} : { seq: mark.seq }) }];
    }),
    ...(sheet.comment.trim() ? { comment: sheet.comment.trim() } : {}),
  };
}

export function readSheet(value: unknown): Sheet {
  if (!isObject(value) || !isObject(value['marks'])) return emptySheet;
  return { marks: value['marks'] as Sheet['marks'], comment: typeof value['comment'] === 'string' ? value['comment'] : '', ...(typeof value['ref'] === 'string' ? { ref: value['ref'] } : {}) };
}
