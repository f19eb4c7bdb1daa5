/**
 * `npm run simulation -- --seed N [--hostile] [--steps N] [--log]` or `--seeds FROM-TO`: federations of servers under
 * faults, with `--hostile` beside a server that lies. Says which seeds
 * fail and why, and ends with 1 then.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeTemplate } from './federated-world.ts';
import { runSimulation, type SimulationResult } from './run-simulation.ts';
import { peopleEach, serverNames, stepsByDefault } from './settings.ts';

interface Wanted {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
  readonly isLogged: boolean;
  readonly isHostile: boolean;
}
const usage =
  'Say which runs you want: npm run simulation -- --seed N [--hostile] [--steps N] [--log], or --seeds FROM-TO [--hostile] [--steps N]';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const wanted = wantedRuns(args);
  if (wanted === undefined) {
    console.error(usage);
    return 2;
  }
  const template = await makeTemplate(serverNames, peopleEach);
  try {
    return await runAll(wanted, template);
  } finally {
    rmSync(template.folder, { recursive: true });
  }
}

async function runAll(
  { from, to, steps, isLogged, isHostile }: Wanted,
  template: Awaited<ReturnType<typeof makeTemplate>>,
): Promise<number> {
  const failed: number[] = [];
  const results: SimulationResult[] = [];
  for (let seed = from; seed <= to; seed++) {
    const log = isLogged ? { log: (line: string) => console.log(line) } : {};
    const result = await attempt(seed, () => runSimulation({ seed, template, steps, isHostile, ...log }));
    if (typeof result !== 'string') results.push(result);
    const problems = typeof result === 'string' ? [result] : result.problems;
    if (problems.length === 0) continue;
    failed.push(seed);
    console.log(
      `seed ${seed}: again by npm run simulation -- --seed ${seed}${isHostile ? ' --hostile' : ''} --steps ${steps} --log`,
    );
    for (const problem of problems) console.log(`  ${problem}`);
  }
  const sum = (of: (result: SimulationResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  console.log(
    `${to - from + 1} seeds, ${failed.length} failed${failed.length === 0 ? '' : ` (${failed.join(', ')})`}; ` +
      `${sum(({ events }) => events)} events, ${sum(({ requests }) => requests)} requests between servers`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** What went wrong with the run itself, as text. */
async function attempt(seed: number, run: () => Promise<SimulationResult>): Promise<SimulationResult | string> {
  try {
    return await run();
  } catch (error) {
    return `the run of seed ${seed} broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** undefined: what was said makes no sense. */
function wantedRuns(args: readonly string[]): Wanted | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        steps: { type: 'string' },
        log: { type: 'boolean' },
        hostile: { type: 'boolean' },
      },
    });
    const steps = Number(values.steps ?? stepsByDefault);
    const [, from, to] = /^(\d+)-(\d+)$/.exec(values.seeds ?? `${values.seed}-${values.seed}`) ?? [];
    const isSound = Number.isSafeInteger(steps) && steps >= 0 && from !== undefined && Number(from) <= Number(to);
    if (!isSound || (values.seed === undefined) === (values.seeds === undefined)) return undefined;
    return {
      from: Number(from),
      to: Number(to),
      steps,
      isLogged: values.log ?? false,
      isHostile: values.hostile ?? false,
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
