import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { systemTimers } from '../../src/platform/timers.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import type { DatabaseOptions } from '../../src/storage/open.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { allPairs } from './support/scratch-queries.ts';

const program = fileURLToPath(new URL('./support/endless-writer.ts', import.meta.url));

describeOnBothEngines('a process that is killed while it writes', (engine) => {
  it('has lost nothing that it acknowledged, and nothing is there by halves', async () => {
    const options = await engine.freshOptions();
    const acknowledged: { number: number; pos: number }[] = [];
    for (const count of [1, 300, 1_500]) acknowledged.push(...(await writeUntilKilled(options, count)));

    const db = await openDatabase(options, { timers: systemTimers, workers: threadWorkers });
    const pairs = await db.all(allPairs, {});
    const posOf = new Map(pairs.map(({ room, nid }) => [room, nid]));
    await db.close();
    expect(acknowledged.length).toBeGreaterThan(1_800);
    expect(acknowledged.filter(({ number, pos }) => posOf.get(number) !== pos)).toEqual([]);
    expect(pairs.filter(({ room, nid }) => posOf.get(-room) !== nid)).toEqual([]);
    expect(new Set(pairs.map(({ nid }) => nid)).size).toBe(pairs.length / 2);
    // each process went on above what the one before had handed out
    expect(new Set(acknowledged.map(({ number }) => number)).size).toBe(acknowledged.length);
  });
});

/** Runs the program until it has acknowledged `count` units, then kills it; gives all that it has said until its end. */
async function writeUntilKilled(options: DatabaseOptions, count: number): Promise<{ number: number; pos: number }[]> {
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: { number: number; pos: number }[] = [];
  if (child.stdout === null) throw new Error('the child has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    // the last line may have been cut off by the kill
    const [, number, pos] = /^(\d+) (\d+)\.$/.exec(line) ?? [];
    if (number !== undefined && pos !== undefined) said.push({ number: Number(number), pos: Number(pos) });
    if (said.length === count) child.kill('SIGKILL');
  }
  if (said.length < count) throw new Error('the program ended by itself');
  return said;
}
