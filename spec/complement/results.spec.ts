import { expect, test } from 'vitest';
import { compareResults, parseResults, readEvents, renderResults, summarise } from './results.ts';

const event = (action: string, name?: string): string =>
  JSON.stringify({ Action: action, Package: 'tests/csapi', ...(name === undefined ? {} : { Test: name }) });
const output = [
  event('start'),
  event('run', 'TestB'),
  event('run', 'TestB/part'),
  'a server said something',
  '{"Action":"output","Package":"tests/csapi","Test":"TestB","Output":"x"}',
  '{ not JSON',
  event('pass', 'TestB/part'),
  event('fail', 'TestB'),
  event('run', 'TestA'),
  event('pass', 'TestA'),
  event('run', 'TestC'),
  event('skip', 'TestC'),
  event('run', 'TestD'),
  event('fail'),
].join('\n');

test('events become a table that comes back', () => {
  const results = readEvents(output);
  const table = renderResults(results);
  expect(table).toBe(
    'pass\ttests/csapi\tTestA\nfail\ttests/csapi\tTestB\npass\ttests/csapi\tTestB/part\nskip\ttests/csapi\tTestC\nunfinished\ttests/csapi\tTestD\n',
  );
  expect(parseResults(table)).toEqual(results);
});

test('what changed is told test by test', () => {
  const before = parseResults('pass\ttests\tTestA\nfail\ttests\tTestB\npass\ttests\tTestC\n');
  const after = parseResults('pass\ttests\tTestA\npass\ttests\tTestB\nfail\ttests\tTestD\n');
  expect(compareResults(before, after)).toEqual([
    'fail → pass  tests TestB',
    'pass → -  tests TestC',
    '- → fail  tests TestD',
  ]);
  expect(compareResults(after, after)).toEqual([]);
});

test('a summary counts top-level tests apart', () => {
  expect(summarise(readEvents(output))).toEqual([
    'tests/csapi: 1 of 4 top-level tests pass (1 fail, 1 skip, 1 unfinished), 2 of 5 with subtests',
  ]);
});
