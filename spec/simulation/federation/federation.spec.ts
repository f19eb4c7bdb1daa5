/**
 * Servers over a network that loses, delays, reorders and repeats what passes, that are cut off, restarted and killed, and agree in
 * the end. One seed again, with all that happens: `npm run simulation -- --seed N --log`.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTemplate, type Template } from './federated-world.ts';
import { runSimulation } from './run-simulation.ts';
import { peopleEach, serverNames, stepsByDefault } from './settings.ts';

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
let template: Template;

beforeAll(async () => {
  template = await makeTemplate(serverNames, peopleEach);
});
afterAll(() => rmSync(template.folder, { recursive: true }));

test.each(seeds)('seed %i: everybody has everything, and the same state', async (seed) => {
  const { problems } = await runSimulation({ seed, template, steps: stepsByDefault });
  expect(problems, `again: npm run simulation -- --seed ${seed} --log`).toEqual([]);
});

test('a seed is a run: the same requests, answers and times', async () => {
  const logs = [[], [], []] as [string[], string[], string[]];
  for (const [index, seed] of [1, 1, 2].entries())
    await runSimulation({ seed, template, steps: 30, log: (line) => void logs[index]?.push(line) });
  expect(logs[1]).toEqual(logs[0]);
  expect(logs[2]).not.toEqual(logs[0]);
});
