import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openDatabase } from '../../src/storage/open.ts';
import { testPorts } from './test-ports.ts';

/** A SQLite database with all migrations and nothing else, as the bytes of its file: made once, since copies are quicker. */
export function migratedImage(): Promise<Buffer> {
  image ??= makeImage();
  return image;
}
let image: Promise<Buffer> | undefined;

async function makeImage(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-image-'));
  try {
    const path = join(folder, 'veche.db');
    const db = await openDatabase({ engine: 'sqlite', path, isDurable: false }, testPorts());
    await db.close();
    const connection = new Sqlite(path);
    // a database in memory has no write-ahead log; one in a file makes its own when it is opened
    connection.pragma('journal_mode = DELETE');
    const bytes = connection.serialize();
    connection.close();
    return bytes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
