/** Nothing that a server does depends on anything but what it is told, its clock and its random numbers. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RandomPeople } from './random-people.ts';
import { startWorld } from './world.ts';

const serverNames = ['a.test', 'b.test'];
const stepCount = 100;

interface Run {
  readonly history: readonly string[];
  /** How many steps were answered with 200. */
  readonly succeeded: number;
  /** Of each server, the file of its database. */
  readonly databases: readonly Buffer[];
}

test('two servers that live through the same 100 steps twice have the same databases, byte for byte', async () => {
  const [first, again, other] = [await run(1), await run(1), await run(2)];
  // an answer that differs says more than a byte of a file
  expect(again.history).toEqual(first.history);
  expect(equalities(again, first)).toEqual([true, true]);

  // so that this cannot hold because nothing happens, or because everything is the same always
  expect(first.succeeded).toBeGreaterThan(0.8 * stepCount);
  expect(equalities(other, first)).toEqual([false, false]);
}, 180_000);

async function run(seed: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-simulation-'));
  try {
    const world = await startWorld({ seed, folder, serverNames });
    const people = new RandomPeople(world, seed);
    for (let step = 0; step < stepCount; step++) await people.step();
    await people.finish();
    await world.close();
    const databases = world.servers.map(({ databasePath }) => {
      if (existsSync(`${databasePath}-wal`)) throw new Error(`${databasePath} is not complete without its log`);
      return readFileSync(databasePath);
    });
    const succeeded = [...people.succeeded.values()].reduce((sum, count) => sum + count, 0);
    return { history: people.history, succeeded, databases };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const equalities = (one: Run, other: Run): boolean[] =>
  one.databases.map((database, index) => other.databases[index]?.equals(database) === true);
