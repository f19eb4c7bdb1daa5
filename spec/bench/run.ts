/**
 * npm run bench -- [--only NAME[,NAME]]... [--engine sqlite|postgres] [--sizes full|tiny]
 *   [--search-messages COUNT] [--large] [--out FILE]
 * Measures what only the server itself can see, prints a table with the targets, and writes the same as JSON. A missed target
 * is said and is no failure: machines differ. See docs/performance.md.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from './postgres.ts';
import { type Measurement, type Sizes, isMet, sizes } from './measurement.ts';
import { scenarios } from './scenarios.ts';
import { renderTable } from './table.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    engine: { type: 'string', default: 'sqlite' },
    sizes: { type: 'string', default: 'full' },
    'search-messages': { type: 'string' },
    large: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const wanted = options.only.flatMap((names) => names.split(','));
const reason = reasonAgainst();
if (reason === undefined) await main();
else {
  console.error(`The bench cannot run. ${reason}`);
  process.exitCode = 2;
}

function reasonAgainst(): string | undefined {
  if (!existsSync('/proc/self/schedstat')) return 'It reads the CPU time of threads from /proc, which only Linux has.';
  if (options.engine !== 'sqlite' && options.engine !== 'postgres') return '--engine is sqlite or postgres.';
  if (options.sizes !== 'full' && options.sizes !== 'tiny') return '--sizes is full or tiny.';
  if (options['search-messages'] !== undefined && !/^[1-9]\d{0,8}$/.test(options['search-messages']))
    return '--search-messages is a number.';
  const unknown = wanted.find((name) => !Object.hasOwn(scenarios, name));
  if (unknown === undefined) return undefined;
  return `There is no ${unknown}; there are ${Object.keys(scenarios).join(', ')}.`;
}

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'veche-bench-'));
  const postgres = options.engine === 'postgres' ? await startPostgres(home) : undefined;
  const found: Measurement[] = [];
  try {
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      found.push(...(await scenario({ sizes: wantedSizes(), postgres: postgres?.freshDatabase, say: progress })));
    }
  } finally {
    await postgres?.stop();
    rmSync(home, { recursive: true, force: true });
  }
  console.log(renderTable(found));
  if (options.out !== undefined) writeFileSync(options.out, asJson(found));
}

function wantedSizes(): Sizes {
  const wanted = options.sizes === 'tiny' ? sizes.tiny : sizes.full;
  const size = options.large ? { ...wanted, joinedMembers: [...wanted.joinedMembers, 10_000] } : wanted;
  const { 'search-messages': messages } = options;
  return messages === undefined ? size : { ...size, searchMessages: Number(messages) };
}

function asJson(found: readonly Measurement[]): string {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const measurements = found.map((measurement) => ({ ...measurement, met: isMet(measurement) }));
  return `${JSON.stringify({ engine: options.engine, machine, measurements }, undefined, 2)}\n`;
}

function progress(text: string): void {
  console.error(`… ${text}`);
}
