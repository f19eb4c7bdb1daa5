import { describe, expect, it } from 'vitest';
import { Shutdown } from '../../src/platform/shutdown.ts';
import { testPorts } from '../support/test-ports.ts';

describe('Shutdown', () => {
  it('ends what was started last first, one after another, once', async () => {
    const ports = testPorts();
    const seen: string[] = [];
    const shutdown = new Shutdown(ports);
    for (const name of ['database', 'rooms', 'listeners'])
      shutdown.add(name, async () => {
        seen.push(`${name} ends`);
        await ports.timers.sleep(100);
        seen.push(`${name} ended`);
      });
    const runs = Promise.all([shutdown.run(), shutdown.run()]);
    await ports.advance(1_000);
    const [outcomes, same] = await runs;
    expect(seen).toEqual([
      'listeners ends',
      'listeners ended',
      'rooms ends',
      'rooms ended',
      'database ends',
      'database ended',
    ]);
    expect(outcomes.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'listeners done',
      'rooms done',
      'database done',
    ]);
    expect(same).toBe(outcomes);
    expect(() => shutdown.add('late', async () => undefined)).toThrow('while the server ends');
    expect(ports.timerCount).toBe(0);
  });

  it('closes the database although others hang or fail, within its limit', async () => {
    const ports = testPorts();
    let databaseClosedMs: number | undefined;
    const shutdown = new Shutdown(ports);
    shutdown.add('database', async () => {
      await ports.timers.sleep(200);
      databaseClosedMs = ports.clock.monotonicMs();
    });
    shutdown.add('broken', () => Promise.reject(new Error('it was broken')));
    shutdown.add('hanging', () => new Promise(() => undefined));
    const run = shutdown.run();
    await ports.advance(5_000);
    expect(await run).toMatchObject([
      { name: 'hanging', outcome: 'late' },
      { name: 'broken', outcome: 'failed', error: { message: 'it was broken' } },
      { name: 'database', outcome: 'done' },
    ]);
    expect(databaseClosedMs).toBeLessThanOrEqual(5_000);
  });

  it('ends in time when everything hangs', async () => {
    const ports = testPorts();
    const shutdown = new Shutdown(ports, 5_000);
    for (let i = 0; i < 20; i++) shutdown.add(`part ${i}`, () => new Promise(() => undefined));
    let endedMs: number | undefined;
    const run = shutdown.run().then((outcomes) => {
      endedMs = ports.clock.monotonicMs();
      return outcomes;
    });
    await ports.advance(5_000);
    expect((await run).map(({ outcome }) => outcome)).toEqual(new Array(20).fill('late'));
    expect(endedMs).toBeLessThanOrEqual(5_000);
  });
});
