/** What administrators do with files, on both engines. Over HTTP: spec/http/admin/media.spec.ts. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import type { MxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import { listMediaOfUser, listMediaStatistics, setProtected } from '../../src/media/administration.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { deleteUnusedMedia } from '../../src/media/delete-unused-media.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { mediaMetrics } from '../../src/media/media-metrics.ts';
import { mediaOrderNames, statisticsOrderNames } from '../../src/media/media-orders.ts';
import { openContent } from '../../src/media/open-content.ts';
import { PendingContents } from '../../src/media/pending-contents.ts';
import { quarantineFile, quarantineFilesOfUser } from '../../src/media/quarantine.ts';
import { removeContent } from '../../src/media/remove-content.ts';
import { StoredBlobs } from '../../src/media/stored-blobs.ts';
import { UserQuotas } from '../../src/media/user-quotas.ts';
import { uploadContent } from '../../src/media/upload-content.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import type { Database } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { insertAccount } from '../../src/storage/stores/account-store.ts';
import { setProfileField } from '../../src/storage/stores/profile-store.ts';
import { insertThumbnail } from '../../src/storage/stores/thumbnail-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { localServersOfTests } from '../support/test-accounts.ts';
import { testEpochMs, type TestPorts, testPorts } from '../support/test-ports.ts';
import { noRemote } from './support/no-remote.ts';

const dayMs = 86_400_000;
const page = { from: 0, limit: 100, order: 'user_id', direction: 'f' } as const;
async function* bodyOf(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text);
}

describeOnBothEngines('administration of files', (engine) => {
  let folder: string;
  let db: Database;
  let ports: TestPorts;
  let ctx: MediaContext;
  let store: LocalBlobStore;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
    ports = testPorts();
    db = await engine.open({ ports });
    store = await LocalBlobStore.open(folder, ports);
    ctx = {
      db,
      names: new Names(db),
      localServers: localServersOfTests(),
      clock: ports.clock,
      timers: ports.timers,
      random: ports.random,
      settings: { ...loadConfig(undefined, {}).media, freeBytesMin: 0 },
      blobs: new StoredBlobs({ db, store, clock: ports.clock, random: ports.random, freeBytesMin: 0 }),
      quotas: new UserQuotas({ db, userBytesMax: undefined, userFilesMax: undefined, infoUri: '' }),
      pending: new PendingContents(db, ports.timers),
      remote: noRemote,
      metrics: mediaMetrics(new Metrics({ process: false })),
      scans: undefined,
      onStored: () => undefined,
      onFailed: (error) => {
        throw error;
      },
    };
  });
  afterEach(async () => {
    await db.drained();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const register = async (localpart: string, displayName: string) => {
    const userId = `@${localpart}:test` as UserId;
    const userNid = await ctx.names.userNid(userId);
    const account = { localpart, kind: 'user', userType: null, passwordHash: null, admin: 0, createdTs: 0 };
    await db.write((unit) => {
      unit.run(insertAccount, { ...account, user: userNid });
      unit.run(setProfileField, { user: userNid, name: 'displayname', value: JSON.stringify(displayName) });
    }).committed;
    return { userId, userNid };
  };
  const upload = (user: { userId: UserId; userNid: number }, text: string): Promise<MxcUri> =>
    uploadContent(ctx, user, { contentType: 'text/plain', fileName: undefined, lengthBytes: undefined }, bodyOf(text));
  const open = (uri: MxcUri) => openContent(ctx, uri, { timeoutMs: 0, signal: () => new AbortController().signal });
  const blobs = (): number =>
    readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .length;

  it('lists and adds up in every order', async () => {
    const alice = await register('alice', 'Zoë');
    const bob = await register('bob', 'Ann');
    const uris = [await upload(alice, '22'), await upload(alice, '1'), await upload(alice, '333')];
    await upload(bob, 'x'.repeat(100));
    for (const order of mediaOrderNames)
      for (const direction of ['f', 'b'] as const) {
        const { rows, total, next } = await listMediaOfUser(ctx, alice.userId, { from: 1, limit: 1, order, direction });
        expect([rows.length, total, next]).toEqual([1, 3, 2]);
      }
    const byLength = { from: 0, limit: 9, order: 'media_length', direction: 'b' } as const;
    const { rows } = await listMediaOfUser(ctx, alice.userId, byLength);
    expect(rows.map(({ media_id: id }) => id)).toEqual([uris[2], uris[0], uris[1]].map((uri) => uri?.mediaId));
    const everything = { fromTs: undefined, untilTs: undefined, term: undefined, ...page };
    const firsts: unknown[] = [];
    for (const order of statisticsOrderNames) {
      const { rows: users, total } = await listMediaStatistics(ctx, { ...everything, order });
      expect(total).toBe(2);
      firsts.push(users[0]);
    }
    const ofAlice = { userId: alice.userId, displayName: 'Zoë', files: 3, bytes: 6 };
    const ofBob = { userId: bob.userId, displayName: 'Ann', files: 1, bytes: 100 };
    expect(firsts).toEqual([ofAlice, ofBob, ofAlice, ofBob]);
    for (const term of ['OË'.toLowerCase(), 'LIC', 'zo'])
      expect((await listMediaStatistics(ctx, { ...everything, term })).rows).toEqual([ofAlice]);
    expect((await listMediaStatistics(ctx, { ...everything, term: '"' })).total).toBe(0);
    expect((await listMediaStatistics(ctx, { ...everything, fromTs: testEpochMs + 1 })).total).toBe(0);
  });

  it('quarantines what has the same content, and spares what is protected', async () => {
    const alice = await register('alice', 'Alice');
    const [first, second, other] = [await upload(alice, 'a'), await upload(alice, 'a'), await upload(alice, 'b')];
    await setProtected(ctx, second.mediaId, true);
    await quarantineFile(ctx, first, alice.userId);
    await expect(open(first)).rejects.toMatchObject({ status: 404 });
    expect((await open(second)).sizeBytes).toBe(1);
    expect(await quarantineFilesOfUser(ctx, alice.userId, alice.userId)).toBe(1);
    await expect(open(other)).rejects.toMatchObject({ status: 404 });
    await expect(quarantineFile(ctx, second, alice.userId)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });

  it('deletes all that nobody uses, many pages of it', async () => {
    const alice = await register('alice', 'Alice');
    const uris: MxcUri[] = [];
    for (let index = 0; index < 130; index++) uris.push(await upload(alice, `file ${index % 120}`));
    await ports.advance(3 * dayMs);
    const used = uris[5] as MxcUri;
    await open(used);
    await db.drained();
    const wish = { serverName: undefined, sizeBytes: 0, keepsAvatars: true };
    const nowMs = ports.clock.nowMs();
    expect(await deleteUnusedMedia(ctx, { ...wish, beforeTs: nowMs })).toHaveLength(129);
    expect((await open(used)).sizeBytes).toBe(6);
    expect(blobs()).toBe(1);
    expect(await deleteUnusedMedia(ctx, { ...wish, beforeTs: nowMs + 2 * dayMs })).toEqual([used.mediaId]);
    expect(blobs()).toBe(0);
  });

  it('leaves nothing of a deleted file after the next start, whenever the process is killed on the way', async () => {
    const alice = await register('alice', 'Alice');
    const uri = await upload(alice, 'an image');
    const { sha256: source } = await open(uri);
    const shape = { source, width: 1, height: 1, method: 'crop', animated: 0, contentType: 'image/png' };
    await ctx.blobs.keep(await ctx.blobs.receive(bodyOf('its thumbnail'), undefined), (unit, { sha256, sizeBytes }) =>
      unit.run(insertThumbnail, { ...shape, sha256, bytes: sizeBytes, usedTs: 0 }),
    );
    expect(blobs()).toBe(2);
    // What comes after the deletion of the row never comes.
    const killed = {
      db,
      blobs: Object.assign(Object.create(ctx.blobs) as StoredBlobs, { release: async () => undefined }),
    };
    expect(await removeContent(killed, uri)).toBe(true);
    await expect(open(uri)).rejects.toMatchObject({ status: 404 });
    expect(blobs()).toBe(2);
    const restarted = new StoredBlobs({ db, store, clock: ports.clock, random: ports.random, freeBytesMin: 0 });
    await restarted.collectDebris();
    expect(blobs()).toBe(0);
  });
});
