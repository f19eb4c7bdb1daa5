import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { MultipartJournal } from '../../src/media/multipart-journal.ts';

it('knows the uploads that were noted and not forgotten, and drops what is half-written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const journal = await MultipartJournal.open(join(folder, 'multipart'));
  const [first, second] = [
    { key: 'a/b', uploadId: '../../x' },
    { key: 'a/b', uploadId: 'y'.repeat(1_000) },
  ] as const;
  await journal.note(first);
  await journal.note(second);
  await journal.forget(first);
  await journal.forget(first);
  writeFileSync(join(folder, 'multipart', 'cut'), '{"key":"a/');
  writeFileSync(join(folder, 'multipart', 'other'), '{"key":1}');
  const again = await MultipartJournal.open(join(folder, 'multipart'));
  expect(await again.load()).toEqual([second]);
  expect(await again.load()).toEqual([second]);
});
