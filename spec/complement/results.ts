/** What a run of tests reported: read from the events of `go test -json`, written as a table, compared with another. */

export type Outcome = 'pass' | 'fail' | 'skip' | 'unfinished';

/** `PACKAGE<tab>TEST` → outcome. */
export type Results = ReadonlyMap<string, Outcome>;

/** Lines that are no events are passed over: servers write to the same output. */
export function readEvents(text: string): Results {
  const results = new Map<string, Outcome>();
  for (const line of text.split('\n')) {
    const { Action: action, Package: packageName, Test: test } = eventOf(line);
    if (typeof test !== 'string' || typeof packageName !== 'string') continue;
    const key = `${packageName.replace(/\/$/, '')}\t${test}`;
    if (action === 'run') results.set(key, results.get(key) ?? 'unfinished');
    if (action === 'pass' || action === 'fail' || action === 'skip') results.set(key, action);
  }
  return results;
}

/** RESULT<tab>PACKAGE<tab>TEST, sorted by package and test. */
export function renderResults(results: Results): string {
  return [...results]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, outcome]) => `${outcome}\t${key}\n`)
    .join('');
}

export function parseResults(text: string): Results {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const tab = line.indexOf('\t');
        return [line.slice(tab + 1), line.slice(0, tab) as Outcome] as const;
      }),
  );
}

/** One line per test whose outcome differs; `-` stands for a test that is not there. */
export function compareResults(before: Results, after: Results): readonly string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `${before.get(key) ?? '-'} → ${after.get(key) ?? '-'}  ${key.replace('\t', ' ')}`);
}

/** `tests/csapi: 35 of 106 top-level tests pass (71 fail), 80 of 300 with subtests`. */
export function summarise(results: Results): readonly string[] {
  const packages = new Set([...results.keys()].map((key) => key.slice(0, key.indexOf('\t'))));
  return [...packages].sort().map((name) => {
    const all = [...results].filter(([key]) => key.startsWith(`${name}\t`));
    const top = all.filter(([key]) => !key.includes('/', name.length));
    const count = (list: typeof all, outcome: Outcome): number =>
      list.filter(([, result]) => result === outcome).length;
    const others = (['fail', 'skip', 'unfinished'] as const)
      .filter((outcome) => count(top, outcome) > 0)
      .map((outcome) => `${count(top, outcome)} ${outcome}`);
    return `${name}: ${count(top, 'pass')} of ${top.length} top-level tests pass (${others.join(', ') || 'no others'}), ${count(all, 'pass')} of ${all.length} with subtests`;
  });
}

function eventOf(line: string): { readonly Action?: unknown; readonly Package?: unknown; readonly Test?: unknown } {
  if (!line.startsWith('{')) return {};
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === 'object' && event !== null ? event : {};
  } catch {
    return {};
  }
}
