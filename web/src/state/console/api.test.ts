import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, call } from './api.js';

const failsUnanswered = (asked: Promise<unknown>) => assert.rejects(asked, (e) => e instanceof ApiError && e.status === 0);

test('a question that nobody answers ends as one without an answer', async () => {
  const clock = globalThis.setTimeout;
  const due: Array<() => void> = [];
  globalThis.setTimeout = ((run: () => void) => due.push(run)) as unknown as typeof setTimeout;
  globalThis.fetch = (_, init) => new Promise((_done, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const asked = failsUnanswered(call('GET', '/api/v1/people'));
  globalThis.setTimeout = clock;
  assert.equal(due.length, 1);
  due.forEach((run) => run());
  await asked;
});

test('an answer that breaks off is none: no list that looks empty', async () => {
  const cut = new ReadableStream({
    start(body) {
      body.enqueue(new TextEncoder().encode('{"items":[{"id":'));
      body.error(new Error('connection lost'));
    },
  });
  globalThis.fetch = () => Promise.resolve(new Response(cut, { status: 200 }));
  await failsUnanswered(call('GET', '/api/v1/people'));
});
