// The HTTP side of the staff faces. Every failure is an ApiError with a problem's title, or status 0 without an answer.
import { isObject } from '../../model/types.js';
import type { Person, Role } from '../../model/types.js';

export interface Session {
  person: Person & { name: string; login?: string };
  roles: Role[];
  departments: string[];
  site?: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The command that makes the first account, where there is none. */
    readonly setup: string | null = null,
    readonly retryMs: number | null = null,
    /** What it was, where a status means several things. */
    readonly reason: string | null = null,
  ) {
    super(message);
  }
}

/** Longer than a search of a large archive takes: after it nobody answers. */
const ANSWER_MS = 30_000;

export async function call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  try {
    return await answerTo(method, path, body, late.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function answerTo(method: string, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      signal,
      headers: {
        Accept: 'application/json',
        ...(method === 'GET' ? {} : { 'X-Firstline': '1' }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, '');
  }
  if (response.status === 204) return null;
  const answer: unknown = await response.json().catch(() => {
    if (response.ok) throw new ApiError(0, ''); // it broke off
    return null;
  });
  if (response.ok) return answer;
  const problem = isObject(answer) ? answer : {};
  const text = (name: string) => (typeof problem[name] === 'string' ? problem[name] : null);
  throw new ApiError(response.status, text('detail') ?? text('title') ?? '', text('setup'),
    typeof problem['retry_ms'] === 'number' ? problem['retry_ms'] : null, text('reason'));
}

function asSession(answer: unknown): Session {
  const a = isObject(answer) ? answer : {};
  const person = isObject(a['person']) ? a['person'] : {};
  const id = String(person['id'] ?? '');
  return {
    person: { id, name: String(person['name'] ?? person['login'] ?? id), login: String(person['login'] ?? '') },
    roles: Array.isArray(a['roles']) ? (a['roles'] as Role[]) : [],
    departments: Array.isArray(a['departments']) ? (a['departments'] as string[]) : [],
    ...(typeof a['site'] === 'string' ? { site: a['site'] } : {}),
  };
}

export const session = {
  get: async () => asSession(await call('GET', '/api/v1/session')),
  open: async (login: string, password: string) => asSession(await call('POST', '/api/v1/session', { login, password })),
  close: () => call('DELETE', '/api/v1/session'),
};
