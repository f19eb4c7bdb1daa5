import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDependencies } from '../../src/commands/check-dependencies.ts';

const repository = join(import.meta.dirname, '../..');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'layers-'));
  for (const file of ['.dependency-cruiser.cjs', '.dependency-layers.cjs', 'tsconfig.json', 'package.json'])
    cpSync(join(repository, file), join(root, file));
  mkdirSync(join(root, 'migrations'));
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
const problems = async (): Promise<readonly string[]> =>
  (await checkDependencies(root, ['src', 'migrations'])).problems;

test('arrows that point down are fine', async () => {
  plant({
    'src/matrix/a.ts': 'export const a = 1;',
    'src/storage/b.ts': "import { a } from '../matrix/a.ts';\nexport const b = a;",
    'src/rooms/c.ts': "import { b } from '../storage/b.ts';\nexport const c = b;",
    'src/http/d.ts': "import { c } from '../rooms/c.ts';\nexport const d = c;",
  });
  expect(await checkDependencies(root, ['src', 'migrations'])).toEqual({ modules: 4, dependencies: 3, problems: [] });
});

test('each forbidden arrow is found, those of types too', async () => {
  plant({
    'src/accounts/a.ts': 'export const a = 1;\nexport type A = number;',
    'src/rooms/a.ts': "import type { A } from '../accounts/a.ts';\nexport type R = A;",
    'src/storage/a.ts': "import { a } from '../accounts/a.ts';\nexport const s = a;",
    'src/http/a.ts': "import { s } from '../storage/a.ts';\nexport const h = s;",
    'src/matrix/a.ts': "import { readFileSync } from 'node:fs';\nexport const r = readFileSync;",
    'src/matrix/b.ts': "import { createHash } from 'node:crypto';\nexport const c = createHash;",
    'src/matrix/crypto/b.ts': "import { createHash } from 'node:crypto';\nexport const c = createHash;",
    'src/sync/a.ts': "import { request } from 'node:https';\nexport const r = request;",
    'src/federation/a.ts': "export { gone } from './gone.ts';",
    'src/media/a.ts': "import { b } from './b.ts';\nexport const a = (): number => b();",
    'src/media/b.ts': "import { a } from './a.ts';\nexport const b = (): number => a();",
    'migrations/0001-a.ts': "import { a } from '../src/accounts/a.ts';\nexport const m = a;",
  });
  const found = (await problems()).map((problem) => problem.slice(0, problem.indexOf(':'))).toSorted();
  expect(found).toEqual([
    'migrations/0001-a.ts → src/accounts/a.ts',
    'src/federation/a.ts → ./gone.ts',
    'src/http/a.ts → src/storage/a.ts',
    'src/matrix/a.ts → fs',
    'src/matrix/b.ts → crypto',
    'src/media/a.ts → src/media/b.ts',
    'src/rooms/a.ts → src/accounts/a.ts',
    'src/storage/a.ts → src/accounts/a.ts',
    'src/sync/a.ts → https',
  ]);
});

test('seeing nothing is a failure', async () => {
  plant({ 'src/README.txt': '', 'spec/a.ts': 'export const a = 1;' });
  expect(await problems()).toEqual(['0 modules were cruised, so nothing was checked; is typescript installed?']);
});
