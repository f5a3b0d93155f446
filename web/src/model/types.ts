// Names that all of the model uses. Messages come from protocol/messages.ts, which the build makes from schema/protocol.
export type * from '../protocol/messages.js';
import type { ClientMessage, ErrorCode, Person, ServerError } from '../protocol/messages.js';

/** A client message before it has its id. */
export type Draft = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, 'id'> & { id?: string } : never) : never;

/** The clock and the timers that the model uses; tests pass their own. */
export interface Timers {
  now(): number;
  set(run: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

/** A random number in [0, 1). */
export type Random = () => number;

/** An `error` of the server, or the model's own `unavailable` when no answer came. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly retryMs: number | undefined;
  readonly handler: Person | null | undefined;
  readonly chat: string | undefined;
  readonly state: ServerError['state'];
  readonly missing: string[] | undefined;

  constructor(error: Omit<ServerError, 't' | 're'>) {
    super(error.message);
    this.code = error.code;
    this.retryMs = error.retry_ms;
    this.handler = error.handler;
    this.chat = error.chat;
    this.state = error.state;
    this.missing = error.missing;
  }
}

export function assertNever(value: never): never {
  throw new Error(`not expected: ${JSON.stringify(value)}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
