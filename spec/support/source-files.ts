import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

export const repository = join(import.meta.dirname, '../..');

const notOurs = new Set(['node_modules', '.git', '.vitest', 'data', 'coverage']);

export interface TextFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
}
export interface SourceFile extends TextFile {
  readonly tree: ts.SourceFile;
}

/** Every text file of the project, dependencies and data folders left out. */
export function textFiles(): readonly TextFile[] {
  return pathsIn(repository)
    .filter((path) => !/\.(png|ico|jpe?g|webp|woff2?|db|log)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(repository, path), 'utf8') }));
}

/** Parses the TypeScript files among `files`; generated ones are left out, because their generator has its own spec. */
export function parseSources(files: readonly TextFile[]): readonly SourceFile[] {
  return files
    .filter(({ path }) => path.endsWith('.ts') && !isGenerated(path))
    .map((file) => ({ ...file, tree: ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ESNext, true) }));
}

export function isGenerated(path: string): boolean {
  return path.startsWith('src/matrix/api/') && path !== 'src/matrix/api/corrections.ts';
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pathsIn(path);
    return entry.isFile() ? [relative(repository, path).split(sep).join('/')] : [];
  });
}
