/**
 * npm run complement -- [CHECKOUT] [--package NAME]... [--run REGULAR-EXPRESSION] [--parallel N] [--room-version V] [--verbose]
 * Runs tests of Complement, by default of tests, tests/csapi and of proposals that are served, against `npm run serve-env`, writes
 * results.txt beside this file and prints what changed. With --run, the results are only compared: a part of the tests is no
 * new table. With --room-version, rooms are of that version where a test names none: some tests of the suite are written for
 * versions in which creators have no powers of their own, and the server makes rooms of version 12. That is no new table either.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareResults, parseResults, readEvents, renderResults, summarise, type Results } from './results.ts';
import { buildSuite, reasonAgainst, type Places, type Suite } from './setup.ts';

const repository = resolve(import.meta.dirname, '../..');
const table = join(import.meta.dirname, 'results.txt');

const packagesByDefault = [
  'csapi',
  'msc3391',
  'msc3757',
  'msc3874',
  'msc3890',
  'msc3930',
  'msc3967',
  'msc4140',
  'msc4155',
  'msc4222',
  'msc4306',
  'msc3902',
  'tests',
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    package: { type: 'string', multiple: true, default: packagesByDefault },
    run: { type: 'string' },
    parallel: { type: 'string', default: '2' },
    'room-version': { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const places: Places = {
  repository,
  checkout: positionals[0] ?? process.env['COMPLEMENT_DIR'] ?? '',
  local: process.env['COMPLEMENT_LOCAL'] ?? resolve(repository, '../shared/complement-local'),
};

const against = reasonAgainst(places);
if (against === undefined) report(runSuite(buildSuite(places, options.package)));
else {
  console.error(`Complement cannot run here. ${against}`);
  process.exitCode = 2;
}

function runSuite({ binaries, sources }: Suite): Results {
  const output = join(mkdtempSync(join(tmpdir(), 'complement-results-')), 'events.json');
  console.log(`The events of the tests go to ${output}, what servers write to ${output}.stderr.`);
  const filter = options.run === undefined ? [] : ['-test.run', options.run];
  const roomVersion = options['room-version'];
  const { status, error } = spawnSync('bash', [join(places.local, 'run-tests.sh'), output, ...filter], {
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_BIN: binaries,
      TEST_SRC: sources,
      PACKAGES: options.package.join(' '),
      PARALLEL: options.parallel,
      COMPLEMENT_LOCAL_CMD: `exec ${quoted(process.execPath)} ${quoted(join(repository, 'src/commands/serve-env.ts'))}`,
      ...(roomVersion === undefined ? {} : { VECHE_ROOMS__DEFAULT_VERSION: roomVersion }),
      COMPLEMENT_ENABLE_DIRTY_RUNS: '1',
      COMPLEMENT_SPAWN_HS_TIMEOUT_SECS: '30',
      COMPLEMENT_LOCAL_LOG_BYTES: options.verbose ? '200000' : '0',
    },
  });
  if (error !== undefined) throw error;
  if (status !== 0) console.error(`run-tests.sh ended with exit code ${status}.`);
  return readEvents(readFileSync(output, 'utf8'));
}

function report(results: Results): void {
  if (results.size === 0) {
    console.error('No test has reported anything: see the output named above.');
    process.exitCode = 1;
    return;
  }
  const before = existsSync(table) ? parseResults(readFileSync(table, 'utf8')) : new Map<string, never>();
  const compared = options.run === undefined ? before : new Map([...before].filter(([test]) => results.has(test)));
  const changes = compareResults(compared, results);
  for (const line of [...changes, ...summarise(results)]) console.log(line);
  console.log(`${changes.length} results differ from spec/complement/results.txt.`);
  if (options.run === undefined && options['room-version'] === undefined)
    writeFileSync(table, renderResults(mergePackages(before, results)));
}

/** Packages that did not run keep their lines. */
function mergePackages(before: Results, after: Results): Results {
  const packageOf = (key: string): string => key.slice(0, key.indexOf('\t'));
  const ran = new Set([...after.keys()].map(packageOf));
  return new Map([...[...before].filter(([key]) => !ran.has(packageOf(key))), ...after]);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
