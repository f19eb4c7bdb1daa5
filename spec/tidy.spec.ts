/**
 * The rules of the house that a linter does not know. Each test names the places that break one, and its title says what to
 * do instead. The layer table is checked by `npm run check:dependencies`.
 */
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { isGenerated, parseSources, repository, textFiles, type SourceFile } from './support/source-files.ts';
import { findPlaces } from './support/syntax.ts';
import { longFiles } from './tidy/long-files.ts';
import {
  comparesOwnServerName,
  comparesRoomVersion,
  importsPlatform,
  importsWithoutEnding,
  isFileNameOf,
  kebabCase,
  leavesTestsOut,
  operationIdsIn,
  silencesType,
  usesPlatform,
} from './tidy/rules.ts';

const files = textFiles();
const sources = parseSources(files);
const server = sources.filter(({ path }) => path.startsWith('src/') || path.startsWith('migrations/'));
const outsidePlatform = server.filter(({ path }) => !path.startsWith('src/platform/'));
const linesMax = 400;

const lineCount = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
const everywhere = (within: readonly SourceFile[], matches: (node: ts.Node) => boolean): string[] =>
  within.flatMap((file) => findPlaces(file, matches));

test('the files are found at all', () => {
  expect(server.length).toBeGreaterThan(10);
});

test('files and folders have kebab-case names', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.spec|\.fixture|\.config|\.machine\.config)?\.ts$/;
  const folder = /^[a-z0-9]+(-[a-z0-9]+)*$/;
  const wrong = sources.filter(
    ({ path }) =>
      !kebab.test(basename(path)) ||
      !path
        .split('/')
        .slice(0, -1)
        .every((part) => folder.test(part)),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test(`a file has at most ${linesMax} lines: split it by concept, or name it with a reason in spec/tidy/long-files.ts`, () => {
  const long = files.filter(
    ({ path, text }) => /\.(ts|cjs|mjs|sh)$/.test(path) && !isGenerated(path) && lineCount(text) > linesMax,
  );
  const unlisted = long.filter(({ path }) => !Object.hasOwn(longFiles, path));
  expect(unlisted.map(({ path, text }) => `${path}: ${lineCount(text)} lines`)).toEqual([]);
});

test('spec/tidy/long-files.ts names only files that are long', () => {
  const lengths = new Map(files.map(({ path, text }) => [path, lineCount(text)]));
  expect(Object.keys(longFiles).filter((path) => (lengths.get(path) ?? 0) <= linesMax)).toEqual([]);
});

test('every folder of src/ has its line in .dependency-layers.cjs', () => {
  const { layers } = createRequire(import.meta.url)(join(repository, '.dependency-layers.cjs')) as {
    layers: Record<string, unknown>;
  };
  const folders = new Set(
    server.filter(({ path }) => path.startsWith('src/')).map(({ path }) => path.split('/')[1] ?? ''),
  );
  expect([...folders].filter((folder) => !Object.hasOwn(layers, folder))).toEqual([]);
});

test('an endpoint stands in a file named after its operationId, one endpoint to a file', () => {
  const wrong: string[] = [];
  for (const { path, tree } of server.filter((file) => file.path.startsWith('src/http/'))) {
    const ids = operationIdsIn(tree);
    if (ids.length > 1) wrong.push(`${path} defines ${ids.join(', ')}`);
    for (const id of ids)
      if (!isFileNameOf(basename(path, '.ts'), id)) wrong.push(`${path} should be called ${kebabCase(id)}.ts`);
  }
  expect(wrong).toEqual([]);
});

test('an index.ts below src/http only lists endpoints', () => {
  const lists = server.filter(({ path }) => /^src\/http\/.+\/index\.ts$/.test(path));
  expect(everywhere(lists, (node) => ts.isFunctionLike(node))).toEqual([]);
});

test('time, timers, chance, network and environment come through src/platform/ports.ts', () => {
  const listener = outsidePlatform.filter(({ path }) => path.startsWith('src/http/listener'));
  const commands = outsidePlatform.filter(({ path }) => path.startsWith('src/commands/'));
  const others = outsidePlatform.filter((file) => !listener.includes(file) && !commands.includes(file));
  expect([...everywhere(outsidePlatform, usesPlatform), ...everywhere(others, importsPlatform)]).toEqual([]);
});

test('room versions are compared nowhere but in src/matrix/room-versions/table.ts: add a field to RoomVersionRules', () => {
  const elsewhere = server.filter(({ path }) => path !== 'src/matrix/room-versions/table.ts');
  expect(everywhere(elsewhere, comparesRoomVersion)).toEqual([]);
});

test('which server names are ours is known to src/platform/local-servers.ts alone: ask isLocal', () => {
  const elsewhere = server.filter(({ path }) => path !== 'src/platform/local-servers.ts');
  expect(everywhere(elsewhere, comparesOwnServerName)).toEqual([]);
});

test('nothing is left to do later in a comment: open an issue instead', () => {
  const leftover = /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/;
  expect(linesMatching(leftover, (path) => !isGenerated(path) && path !== 'package-lock.json')).toEqual([]);
});

test('no type is silenced: no any, no double assertion, no directive for the compiler', () => {
  expect(everywhere(sources, silencesType)).toEqual([]);
  expect(linesMatching(/\/\/\s*@[t]s-/, (path) => path.endsWith('.ts'))).toEqual([]);
});

test('every test runs: no .only, .skip or .todo; a condition is written with runIf', () => {
  const specs = sources.filter(({ path }) => path.startsWith('spec/'));
  expect(everywhere(specs, leavesTestsOut)).toEqual([]);
});

test('a relative import ends in .ts', () => {
  expect(everywhere(sources, importsWithoutEnding)).toEqual([]);
});

test('nothing depends on where it was made: no home folders, no path of this checkout, no registry host', () => {
  const parent = dirname(repository);
  const usual = new Set(['/', '/tmp', '/srv', '/opt', '/var', '/usr', '/data', '/app', '/home', '/root', '/builds']);
  const folders = [repository, ...(usual.has(parent) ? [] : [parent])].map((path) => path.replaceAll('.', '\\.'));
  const place = new RegExp(`(?<![\\w.\\]*-])(${folders.join('|')}|/home/\\w+|/Users/\\w+)/`);
  expect(linesMatching(place, (path) => path !== 'package-lock.json')).toEqual([]);
  expect(linesMatching(/\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bregistry\s*=\s*https?:/, () => true)).toEqual([]);
});

test('package-lock.json names no addresses: .npmrc has omit-lockfile-registry-resolved', () => {
  expect(linesMatching(/"resolved":/, (path) => path === 'package-lock.json')).toEqual([]);
});

test('npm ci needs no compiler: .npmrc lets no package run scripts, so all that is native must come built', () => {
  expect(linesMatching(/^ignore-scripts=true$/, (path) => path === '.npmrc')).toHaveLength(1);
});

test('package-lock.json holds what every package asks for on every platform: npm ci refuses it otherwise', () => {
  const lock = JSON.parse(files.find(({ path }) => path === 'package-lock.json')?.text ?? '{}') as LockFile;
  const names = new Set(Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)));
  const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) =>
      names.has(name) ? [] : [`${name}, which ${path === '' ? 'package.json' : path} asks for`],
    ),
  );
  expect(missing).toEqual([]);
});

test('every file that a script of package.json runs is there', () => {
  const { scripts } = JSON.parse(files.find(({ path }) => path === 'package.json')?.text ?? '{}') as {
    scripts: Record<string, string>;
  };
  const run = Object.values(scripts).flatMap((script) => /(?:^| )node (\S+\.ts)/.exec(script)?.[1] ?? []);
  expect(run.length).toBeGreaterThan(5);
  expect(run.filter((path) => !files.some((file) => file.path === path))).toEqual([]);
});

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly dependencies?: object; readonly optionalDependencies?: object }>
  >;
}

function linesMatching(pattern: RegExp, accept: (path: string) => boolean): string[] {
  return files
    .filter(({ path }) => accept(path))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
    );
}
