/** 64 MiB go up while the server is killed twice, and come down in ranges. npm run test:machine has the same with 4 GiB. */
import { describe, expect, it } from 'vitest';
import { byDraft, byTusClient, fileJourney } from './support/file-journey.ts';

const sizeBytes = 64 * 1_048_576;
const memoryBytesMax = 120_000_000;

describe.each([
  ["the draft's requests", byDraft],
  ['tus-js-client', byTusClient],
])('a file of 64 MiB by %s', (_name, uploader) => {
  it('arrives over two crashes of the server, which takes little memory for it', { timeout: 300_000 }, async () => {
    const journey = await fileJourney(sizeBytes, uploader);
    expect(journey).toMatchObject({ kills: 2, isSame: true });
    expect(journey.memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
  });
});
