import { describe, expect, it } from 'vitest';
import { seededRandom, testEpochMs, testPorts } from './test-ports.ts';

describe('testPorts', () => {
  it('lets time pass only when the test says so, timers in the order of their times', async () => {
    const { clock, timers, advance } = testPorts();
    const seen: string[] = [];
    const note = (what: string) => () => seen.push(`${what} at ${clock.monotonicMs()}`);
    timers.after(30, note('c'));
    timers.after(10, note('a'));
    timers.after(10, note('b'));
    timers.after(20, note('cancelled')).cancel();
    timers.after(31, note('late'));
    await advance(30);
    expect(seen).toEqual(['a at 10', 'b at 10', 'c at 30']);
    expect(clock.nowMs()).toBe(testEpochMs + 30);
    await advance(1);
    expect(seen.at(-1)).toBe('late at 31');
  });

  it('runs the consequences of a timer before the next one, also those that come by promises and soon', async () => {
    const { clock, timers, advance } = testPorts();
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for (;;) {
        await timers.sleep(10);
        seen.push(clock.monotonicMs());
        await new Promise<void>((resolve) => timers.soon(resolve));
        await Promise.resolve();
      }
    };
    void loop();
    await advance(45);
    expect(seen).toEqual([10, 20, 30, 40]);
  });

  it('gives the same chance for the same seed', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return [
        random.bytes(5).toString('hex'),
        random.int(10),
        random.int(1_000_000),
        random.bytes(200).toString('hex'),
      ];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const counts = new Array<number>(5).fill(0);
    const random = seededRandom('even');
    for (let i = 0; i < 5_000; i++) counts[random.int(5)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });

  it('has no network', async () => {
    const { dns, http } = testPorts();
    await expect(dns.lookup('matrix.org')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    const request = { method: 'GET', url: 'https://matrix.org/', headers: {}, timeoutMs: 1, responseBytesMax: 1 };
    await expect(http.request(request)).rejects.toMatchObject({ failure: 'connection' });
  });

  it('runs workers in this thread, and settles when they are loaded', async () => {
    const { workers, settle } = testPorts();
    const worker = workers.start(new URL('../platform/workers.fixture.ts', import.meta.url), { greeting: 'hi' });
    const answers: unknown[] = [];
    void worker.call({ kind: 'echo', value: 1 }).then((answer) => answers.push(answer));
    await settle();
    expect(answers).toEqual([{ greeting: 'hi', value: 1 }]);
  });

  it('waits for other threads', async () => {
    const { until } = testPorts();
    let isDone = false;
    setTimeout(() => (isDone = true), 5);
    await until(() => isDone);
    expect(isDone).toBe(true);
  });
});
