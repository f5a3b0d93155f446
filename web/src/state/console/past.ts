// The earlier chats of a shopper, as the archive has them: who handles the shopper now may read them.
import { isObject } from '../../model/types.js';
import type { ChatState, EventEntry, Person } from '../../model/types.js';
import { call } from './api.js';

export interface PastChat { chat: string; started: number; ended: number | null; state: ChatState; owner: Person | null; rating?: number; messages: number }
export interface PastLog { chat: string; started: number; events: EventEntry[] }

/** How many the card lists. */
const SHOWN = 20;

/** Newest first. */
export async function pastChats(shopper: string): Promise<PastChat[]> {
  const answer = await call('GET', `/api/v1/transcripts?limit=${SHOWN}&shopper=${encodeURIComponent(shopper)}`);
  return isObject(answer) && Array.isArray(answer['items']) ? (answer['items'] as PastChat[]) : [];
}

export const pastLog = (chat: string) => call('GET', `/api/v1/transcripts/${encodeURIComponent(chat)}`) as Promise<PastLog>;
