// The earlier chats of a shopper, as the archive has them: who handles the shopper now may read them.
import { isObject } from '../../model/types.js';
import type { ChatState, EventEntry, Person } from '../../model/types.js';
import { call } from './api.js';

export interface ArchivedChat { chat: string; started: number; ended: number | null; state: ChatState; owner: Person | null; handler: Person | null; messages: number }
export interface PastLog { chat: string; started: number; events: EventEntry[] }

/** How many the card lists. */
const SHOWN = 20;
/** The archive is up to a second behind: so often it is asked again whether it knows who handles the chat now. */
const TRIES = 8;
const AGAIN_MS = 400;

async function chatsOf(shopper: string): Promise<ArchivedChat[]> {
  const answer = await call('GET', `/api/v1/transcripts?limit=${SHOWN}&shopper=${encodeURIComponent(shopper)}`);
  return isObject(answer) && Array.isArray(answer['items']) ? (answer['items'] as ArchivedChat[]) : [];
}

/** The shopper's chats besides this one, newest first; null: not for this reader. */
export async function pastChats(shopper: string, chat: string, handler: string | null, wait: (ms: number) => Promise<void>): Promise<ArchivedChat[] | null> {
  for (let n = 1; ; n++) {
    const items = await chatsOf(shopper);
    const now = items.find((p) => p.chat === chat);
    if (n === TRIES || (now && (now.handler?.id ?? null) === handler)) return now ? items.filter((p) => p !== now) : null;
    await wait(AGAIN_MS);
  }
}

export const pastLog = (chat: string) => call('GET', `/api/v1/transcripts/${encodeURIComponent(chat)}`) as Promise<PastLog>;
