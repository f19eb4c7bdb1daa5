import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findOperatorSentence } from '../../src/commands/operator-sentence.ts';
import { SigningKeyFileError } from '../../src/platform/signing-key-file.ts';
import { DatabaseRefused } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open.ts';
import { testPorts } from '../support/test-ports.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is told for what the function throws or rejects with. */
async function told(run: () => unknown): Promise<string | undefined> {
  try {
    await run();
  } catch (error) {
    return findOperatorSentence(error);
  }
  throw new Error('nothing was thrown');
}

it('tells what we refuse in our own words, and says nothing about our own faults', async () => {
  expect(findOperatorSentence(new DatabaseRefused('stop it first'))).toBe('stop it first');
  expect(findOperatorSentence(new SigningKeyFileError('it is empty'))).toBe('it is empty');
  expect(findOperatorSentence(new TypeError('x is not a function'))).toBeUndefined();
  expect(await told(() => Buffer.alloc(-1))).toBeUndefined();
});

it('names the address that another program listens on', async () => {
  const first = createServer();
  const port = await new Promise<number>((resolve) => {
    first.listen(0, '127.0.0.1', () => {
      const address = first.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const second = createServer();
  const listening = (): Promise<void> =>
    new Promise((resolve, reject) => second.once('error', reject).listen(port, '127.0.0.1', resolve));
  expect(await told(listening)).toBe(`cannot listen on 127.0.0.1:${port}: another program does already`);
  first.close();
});

it('names the file that is not there or is something else', async () => {
  const missing = join(folder, 'missing');
  expect(await told(() => readFile(missing))).toBe(`${missing}: there is no such file or folder (open)`);
  writeFileSync(join(folder, 'file'), '');
  const below = join(folder, 'file', 'below');
  expect(await told(() => readFile(below))).toBe(`${below}: a part of it is not a folder (open)`);
});

it('says that a file is no database, and that no database answers', async () => {
  const path = join(folder, 'veche.db');
  writeFileSync(path, 'this is a text and not a database. '.repeat(100));
  expect(await told(() => openDatabase({ engine: 'sqlite', path }, testPorts()))).toBe(
    'the SQLite database cannot be used: file is not a database',
  );
  const client = new pg.Client({ host: folder, user: 'nobody', database: 'none' });
  expect(await told(() => client.connect())).toMatch(/^the database does not answer: /);
});

it('says that a certificate is none', async () => {
  expect(await told(() => createSecureContext({ cert: 'no certificate', key: 'no key' }))).toMatch(
    /^the certificate or the private key of a listener cannot be used: /,
  );
});
