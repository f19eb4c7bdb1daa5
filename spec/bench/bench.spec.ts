/** That `npm run bench` works; what it measures with such sizes means nothing. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { repository } from '../support/source-files.ts';
import { isMet } from './measurement.ts';
import { scenarios } from './scenarios.ts';
import { renderTable } from './table.ts';

const hasProc = existsSync('/proc/self/schedstat');
if (!hasProc) console.warn('npm run bench needs Linux, so that it runs is not tested here.');

describe.runIf(hasProc)('npm run bench', () => {
  test('measures everything once, prints a table and writes JSON', { timeout: 300_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'veche-bench-spec-'));
    try {
      const out = join(folder, 'result.json');
      const { stdout } = await bench(['--sizes', 'tiny', '--out', out]);
      const { measurements } = JSON.parse(readFileSync(out, 'utf8')) as {
        measurements: readonly { scenario: string; value: number }[];
      };
      expect(new Set(measurements.map(({ scenario }) => scenario))).toEqual(
        new Set([
          'send',
          'deliver',
          'idle',
          'members',
          'keys',
          'growth',
          'first-sync',
          'search',
          'thumbnails',
          'media',
          'federation-receive',
          'federation-join',
          'verify',
        ]),
      );
      expect(measurements.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
      expect(stdout).toMatch(/\d+ of \d+ targets missed\./);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('names the scenarios there are when it is asked for another', async () => {
    const refused = bench(['--only', 'send,nothing']);
    await expect(refused).rejects.toMatchObject({
      code: 2,
      stderr: `The bench cannot run. There is no nothing; there are ${Object.keys(scenarios).join(', ')}.\n`,
    });
  });
});

test('a normalised figure is held against the target, and a missed one is said', () => {
  const measured = { scenario: 'send', what: 'CPU per send', unit: 'µs', value: 400, normalised: 300, atMost: 350 };
  expect(isMet(measured)).toBe(true);
  const table = renderTable([measured, { ...measured, normalised: undefined }, { ...measured, atMost: undefined }]);
  const lines = table.split('\n');
  expect(lines[1]).toMatch(/^send +CPU per send +µs +400 +300 +350 +ok$/);
  expect(lines[2]).toMatch(/^send +CPU per send +µs +400 +350 +MISSED$/);
  expect(lines[3]).toMatch(/^send +CPU per send +µs +400 +300$/);
  expect(lines.at(-1)).toMatch(/^1 of 2 targets missed\./);
});

function bench(args: readonly string[]): Promise<{ readonly stdout: string }> {
  return promisify(execFile)(process.execPath, [join(repository, 'spec/bench/run.ts'), ...args]);
}
