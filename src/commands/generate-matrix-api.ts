/**
 * npm run generate:api -- [FOLDER] [--version vX.Y] [--commit HASH]
 * Writes src/matrix/api/ from the `data` folder of matrix-org/matrix-spec; without a folder, from ../shared/matrix-spec.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Definitions } from './matrix-api/definitions.ts';
import { renderMatrixApi, type Source } from './matrix-api/render.ts';

/** What the committed files were generated from. */
export const committedSource: Source = { version: 'v1.19', commit: 'b9c3d5ed3b0b46b2b025b4a427119036bc9ed71a' };

const repository = resolve(import.meta.dirname, '../..');

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      version: { type: 'string', default: committedSource.version },
      commit: { type: 'string', default: committedSource.commit },
    },
  });
  const folder = resolve(positionals[0] ?? join(repository, '../shared/matrix-spec'));
  const files = await renderMatrixApi(new Definitions(folder), values);
  const target = join(repository, 'src/matrix/api');
  mkdirSync(target, { recursive: true });
  for (const [name, text] of files) {
    writeFileSync(join(target, name), text);
    console.log(`src/matrix/api/${name}: ${text.split('\n').length - 1} lines`);
  }
}

if (import.meta.main) await main();
