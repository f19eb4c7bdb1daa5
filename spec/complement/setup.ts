import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Places {
  readonly repository: string;
  /** A checkout of matrix-org/complement. */
  readonly checkout: string;
  /** The folder complement-local, which starts servers as local processes. */
  readonly local: string;
}

/** The first reason why the tests cannot run here, as a sentence; undefined when they can. */
export function reasonAgainst({ repository, checkout, local }: Places): string | undefined {
  if (process.platform !== 'linux') return 'Complement runs in network namespaces, which only Linux has.';
  if (process.getuid?.() !== 0) return 'Complement needs root, for its own network namespace and port 53.';
  if (!existsSync(join(local, 'in-netns.sh'))) return `The folder ${local} is missing or is not complement-local.`;
  if (checkout === '') return 'Name a checkout of matrix-org/complement, as an argument or in COMPLEMENT_DIR.';
  if (!existsSync(join(checkout, 'internal/docker/deployer.go')))
    return `${resolve(checkout)} is no checkout of matrix-org/complement.`;
  if (findGo() === undefined) return 'Go is missing: put go on PATH, or install it in /usr/local/go.';
  if (spawnSync('unshare', ['--version']).error !== undefined) return 'The command unshare (util-linux) is missing.';
  if (!existsSync(join(repository, 'src/commands/serve-env.ts'))) return 'src/commands/serve-env.ts is missing.';
  return undefined;
}

export function findGo(): string | undefined {
  return ['go', '/usr/local/go/bin/go'].find((go) => spawnSync(go, ['version']).status === 0);
}

export interface Suite {
  /** Holds NAME.test and test2json. */
  readonly binaries: string;
  readonly sources: string;
}

/**
 * Builds the test binaries of `packages` in a copy of the checkout whose deployer is that of complement-local. The copy is
 * kept in the temporary folder, and used again while nothing of either folder has changed.
 */
export function buildSuite({ checkout, local }: Places, packages: readonly string[]): Suite {
  const go = findGo() ?? 'go';
  const folder = join(tmpdir(), `veche-complement-${hashOf([checkout, local]).slice(0, 16)}`);
  const suite = { binaries: join(folder, 'binaries'), sources: join(folder, 'sources') };
  if (!existsSync(suite.sources)) prepareSources(suite.sources, { checkout, local }, go);
  mkdirSync(suite.binaries, { recursive: true });
  const run = (...args: readonly string[]): void => {
    execFileSync(go, args, { cwd: suite.sources, stdio: 'inherit' });
  };
  if (!existsSync(join(suite.binaries, 'test2json')))
    run('build', '-o', join(suite.binaries, 'test2json'), 'cmd/test2json');
  for (const name of packages) {
    const binary = join(suite.binaries, `${name}.test`);
    if (!existsSync(binary)) run('test', '-c', '-o', binary, name === 'tests' ? './tests' : `./tests/${name}`);
  }
  return suite;
}

function prepareSources(sources: string, { checkout, local }: Pick<Places, 'checkout' | 'local'>, go: string): void {
  const unfinished = `${sources}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(checkout, unfinished, { recursive: true, filter: (path) => !path.endsWith('/.git') });
  const docker = join(unfinished, 'internal/docker');
  for (const file of ['builder.go', 'deployer.go', 'labels.go']) rmSync(join(docker, file));
  for (const file of readdirSync(join(local, 'deployer'))) cpSync(join(local, 'deployer', file), join(docker, file));
  cpSync(join(local, 'dockerstub'), join(unfinished, 'dockerstub'), { recursive: true });
  execFileSync(go, ['mod', 'edit', '-replace', 'github.com/docker/docker=./dockerstub'], { cwd: unfinished });
  cpSync(unfinished, sources, { recursive: true });
  rmSync(unfinished, { recursive: true });
}

/** Over the names and contents of all Go files and modules. */
function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders)
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).toSorted(byPath))
      if (entry.isFile() && /\.go$|^go\.(mod|sum)$/.test(entry.name)) {
        const path = join(entry.parentPath, entry.name);
        hash.update(`${path.slice(folder.length)}\0`).update(readFileSync(path));
      }
  return hash.digest('hex');
}

const byPath = (a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number =>
  join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
