/** 4.0 GiB go up while the server is killed twice, and come down in ranges. Wants 9 GiB of disk. */
import { describe, expect, it } from 'vitest';
import { byDraft, byTusClient, fileJourney } from '../journeys/support/file-journey.ts';

const sizeBytes = 4 * 1_073_741_824;
const memoryBytesMax = 120_000_000;

describe.each([
  ["the draft's requests", byDraft],
  ['tus-js-client', byTusClient],
])('a file of 4 GiB by %s', (name, uploader) => {
  it('arrives over two crashes of the server, which takes little memory for it', { timeout: 1_800_000 }, async () => {
    const journey = await fileJourney(sizeBytes, uploader);
    console.log(`4 GiB by ${name}: ${JSON.stringify(journey)}`);
    expect(journey).toMatchObject({ kills: 2, isSame: true });
    expect(journey.memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
  });
});
