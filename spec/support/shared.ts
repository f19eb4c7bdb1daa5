import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';

const folder = fileURLToPath(new URL('../../../shared', import.meta.url));
let told = false;

/** The folder of shared test data beside the repository, or undefined where there is none; it says so once per spec file. */
export function sharedFolder(): string | undefined {
  if (existsSync(join(folder, 'fixtures'))) return folder;
  if (!told) {
    told = true;
    console.warn('The folder ../shared is missing, so the tests that read their cases from it do not run.');
  }
  return undefined;
}

/** A `describe` for tests that read the shared folder: where it is missing the body is not run and the tests are skipped. */
export function describeShared(title: string, body: () => void): void {
  const present = sharedFolder() !== undefined;
  describe.runIf(present)(title, present ? body : () => test('needs the folder ../shared', () => undefined));
}

/**
 * The parsed JSON of a file under `fixtures/`, such as `canonical-json/ruma.json`. Throws when the file is not there, so
 * call it within `describeShared`.
 */
export function loadFixture<File>(path: string): File {
  const shared = sharedFolder();
  if (shared === undefined) throw new Error('The folder ../shared is missing.');
  return JSON.parse(readFileSync(join(shared, 'fixtures', path), 'utf8'));
}
