/** How much each user may have, on both engines. Over HTTP: spec/http/client/media/quotas.spec.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import type { MxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { removeContent } from '../../src/media/remove-content.ts';
import { uploadContent } from '../../src/media/upload-content.ts';
import { UserQuotas } from '../../src/media/user-quotas.ts';
import { insertUpload } from '../../src/storage/stores/upload-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { mediaContext } from './support/media-context.ts';

const alice = { userId: '@alice:test' as UserId, userNid: 1_000_000_000_001 };
const bob = { userId: '@bob:test' as UserId, userNid: 2 };
const infoUri = 'https://example.org/limits';
const exceeded = { status: 403, errcode: 'M_USER_LIMIT_EXCEEDED', extra: { info_uri: infoUri } };

describeOnBothEngines('what users may have', (engine) => {
  let folder: string;
  let store: LocalBlobStore;
  let ctx: MediaContext;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
    const ports = testPorts();
    const db = await engine.open({ ports });
    store = await LocalBlobStore.open(folder, ports);
    const quotas = new UserQuotas({ db, userBytesMax: 100, userFilesMax: 3, infoUri });
    ctx = { ...mediaContext(db, store, ports), quotas };
  });
  afterEach(async () => {
    await ctx.db.drained();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const upload = (sizeBytes: number, isAnnounced = true, user = alice): Promise<MxcUri> => {
    async function* body(): AsyncIterable<Buffer> {
      yield Buffer.alloc(sizeBytes, 1);
    }
    const lengthBytes = isAnnounced ? sizeBytes : undefined;
    return uploadContent(ctx, user, { contentType: undefined, fileName: undefined, lengthBytes }, body());
  };

  it('are bytes, each file in full, and others have their own', async () => {
    const first = await upload(60);
    await expect(upload(60)).rejects.toMatchObject(exceeded);
    await expect(upload(60, false)).rejects.toMatchObject(exceeded);
    await upload(60, true, bob);
    await upload(40);
    await expect(upload(1)).rejects.toMatchObject(exceeded);
    await removeContent(ctx, first);
    await upload(60);
  });

  it('are files', async () => {
    for (let i = 0; i < 3; i++) await upload(0);
    await expect(upload(0)).rejects.toMatchObject(exceeded);
  });

  it('hold against many at once, and what fails takes nothing', async () => {
    const uploads = await Promise.allSettled(Array.from({ length: 8 }, () => upload(45)));
    expect(uploads.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    await expect(upload(11)).rejects.toMatchObject(exceeded);
    await upload(10);
  });

  it('include uploads that continue, as large as they will be', async () => {
    const row = { origin: 'test', mediaId: 'm', contentType: null, fileName: null, createdTs: 0, expiresTs: 1 };
    await ctx.db.write((unit) => unit.run(insertUpload, { ...row, uploadId: 'u', user: alice.userNid, bytes: 80 }))
      .committed;
    await expect(upload(21)).rejects.toMatchObject(exceeded);
    await upload(20);
  });
});
