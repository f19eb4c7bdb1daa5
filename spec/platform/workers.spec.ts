import { describe, expect, it } from 'vitest';
import type { WorkerChannel, Workers } from '../../src/platform/ports.ts';
import { WorkerEnded } from '../../src/platform/worker-calls.ts';
import { InlineWorkers, threadWorkers } from '../../src/platform/workers.ts';
import type { FixtureRequest } from './workers.fixture.ts';

const fixture = new URL('./workers.fixture.ts', import.meta.url);
const forms: readonly (readonly [string, () => Workers])[] = [
  ['in a thread', () => threadWorkers],
  ['inline', () => new InlineWorkers()],
];

describe.each(forms)('a worker %s', (_form, make) => {
  async function withWorker(use: (worker: WorkerChannel<FixtureRequest, unknown>) => Promise<void>): Promise<void> {
    const worker = make().start<FixtureRequest, unknown>(fixture, { greeting: 'hello' });
    try {
      await use(worker);
    } finally {
      await worker.close();
    }
  }

  it('gets its data at the start and answers each request with its own response', () =>
    withWorker(async (worker) => {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, value) => worker.call({ kind: 'echo', value })));
      expect(answers).toEqual(Array.from({ length: 50 }, (_, value) => ({ greeting: 'hello', value })));
    }));

  it('carries out one request after another, in the order in which they came', () =>
    withWorker(async (worker) => {
      const slow = worker.call({ kind: 'slow', value: 1 });
      const history = worker.call({ kind: 'history' });
      expect(await history).toEqual(['slow', 'slow done', 'history']);
      expect(await slow).toBe(1);
    }));

  it('passes an error on with name, message and code, and goes on', () =>
    withWorker(async (worker) => {
      const error: unknown = await worker.call({ kind: 'fail' }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ name: 'RangeError', message: 'disk full', code: 'SQLITE_FULL' });
      await expect(worker.call({ kind: 'failOddly' })).rejects.toThrow('no error object');
      expect(await worker.call({ kind: 'echo', value: 2 })).toMatchObject({ value: 2 });
    }));

  it('moves buffers that are to be transferred, both ways', () =>
    withWorker(async (worker) => {
      const bytes = new Uint8Array([1, 2, 3]);
      const answer = await worker.call({ kind: 'echo', value: bytes }, [bytes.buffer]);
      expect(answer).toMatchObject({ value: new Uint8Array([1, 2, 3]) });
      expect(bytes.length).toBe(0);
      expect(await worker.call({ kind: 'give', length: 3 })).toEqual(new Uint8Array([7, 7, 7]));
    }));

  it('rejects a request that cannot be cloned, and nothing else', () =>
    withWorker(async (worker) => {
      await expect(worker.call({ kind: 'echo', value: () => 1 })).rejects.toThrow('could not be cloned');
      expect(await worker.call({ kind: 'echo', value: 3 })).toMatchObject({ value: 3 });
    }));

  it('finishes what was asked before it closes, and takes nothing afterwards', async () => {
    const worker = make().start<FixtureRequest, unknown>(fixture, { greeting: '' });
    const slow = worker.call({ kind: 'slow', value: 'finished' });
    const closed = worker.close();
    await expect(worker.call({ kind: 'history' })).rejects.toThrow(WorkerEnded);
    expect(await slow).toBe('finished');
    await closed;
    await worker.close();
  });

  it('tells each caller that its module cannot be loaded', async () => {
    const worker = make().start<FixtureRequest, unknown>(new URL('./no-such-module.ts', import.meta.url), {});
    await expect(worker.call({ kind: 'history' })).rejects.toThrow(WorkerEnded);
    await expect(worker.call({ kind: 'history' })).rejects.toThrow(WorkerEnded);
    await worker.close();
  });
});

describe('a thread', () => {
  it('that has a fault outside a request rejects everything in flight and everything later', async () => {
    const worker = threadWorkers.start<FixtureRequest, unknown>(fixture, { greeting: '' });
    const crash = worker.call({ kind: 'crash' });
    const behind = worker.call({ kind: 'history' });
    await expect(crash).rejects.toMatchObject({ name: 'WorkerEnded', cause: { message: 'a fault outside a request' } });
    await expect(behind).rejects.toThrow(WorkerEnded);
    await expect(worker.call({ kind: 'history' })).rejects.toThrow(WorkerEnded);
    await worker.close();
  });
});
