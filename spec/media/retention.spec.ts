/** What is deleted because nobody uses it, and what stays, on both engines. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { formatMxcUri, type MxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { addOwnContent } from '../../src/media/add-own-content.ts';
import { setProtected } from '../../src/media/administration.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { lifeMetrics } from '../../src/media/life/life-metrics.ts';
import { getFileInfo, listMediaOfRoom, purgeRemoteMedia } from '../../src/media/life/look-after-media.ts';
import { MediaRetention } from '../../src/media/life/media-retention.ts';
import { loadMediaTotals } from '../../src/media/life/media-totals.ts';
import {
  type IdleWish,
  removeIdleMedia,
  removeIdleThumbnails,
  type Removing,
} from '../../src/media/life/remove-idle-media.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { openContent } from '../../src/media/open-content.ts';
import { ReferenceDerivation, type ReferenceWork } from '../../src/media/references/reference-derivation.ts';
import { storeUpload, uploadContent } from '../../src/media/upload-content.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { limits } from '../../src/platform/limits.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { StreamFollower } from '../../src/rooms/stream-follower.ts';
import { quarantineContent } from '../../src/storage/stores/quarantine-store.ts';
import type { FollowedRow } from '../../src/storage/stores/media-reference-store.ts';
import { noteThumbnailUse } from '../../src/storage/stores/media-retention-store.ts';
import { mediaAt, noteMediaAccess } from '../../src/storage/stores/media-store.ts';
import { setProfileField } from '../../src/storage/stores/profile-store.ts';
import { insertThumbnail } from '../../src/storage/stores/thumbnail-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type TestPorts, testPorts } from '../support/test-ports.ts';
import { type TestUser, TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';
import { bodyOf, mediaContext } from './support/media-context.ts';

const dayMs = 86_400_000;
const elsewhere = 'elsewhere.example' as MxcUri['serverName'];

describeOnBothEngines('retention of files', (engine) => {
  let folder: string;
  let db: WatchedDatabase;
  let ports: TestPorts;
  let store: LocalBlobStore;
  let ctx: MediaContext;
  let removing: Removing;
  let rooms: TestRooms;
  let references: StreamFollower<ReferenceWork, FollowedRow>;
  let alice: TestUser;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
    ports = testPorts();
    db = new WatchedDatabase(await engine.open({ ports }));
    store = await LocalBlobStore.open(folder, ports);
    ctx = mediaContext(db, store, ports);
    rooms = new TestRooms(db, ports);
    const fail = (error: unknown): never => {
      throw error;
    };
    references = new StreamFollower(db, new ReferenceDerivation(db), { timers: systemTimers, onFailed: fail });
    removing = {
      ...ctx,
      async referencesKnown() {
        await references.settled();
        return references.isLive;
      },
    };
    alice = await rooms.user('alice');
  });
  afterEach(async () => {
    await references.close();
    await db.drained();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const upload = (text: string, user: TestUser = alice): Promise<MxcUri> =>
    uploadContent(ctx, user, { contentType: 'text/plain', fileName: undefined, lengthBytes: undefined }, bodyOf(text));
  const copy = async (mediaId: string, text: string): Promise<MxcUri> => {
    const partial = await ctx.blobs.receive(bodyOf(text), undefined);
    const uri = { serverName: elsewhere, mediaId };
    await storeUpload(ctx, partial, uri, { contentType: undefined, fileName: undefined, user: undefined });
    return uri;
  };
  const open = (uri: MxcUri) => openContent(ctx, uri, { timeoutMs: 0, signal: () => new AbortController().signal });
  const isThere = async (uri: MxcUri): Promise<boolean> =>
    (await db.one(mediaAt, { origin: uri.serverName, mediaId: uri.mediaId })) !== undefined;
  const thereOf = async (uris: Readonly<Record<string, MxcUri>>): Promise<string[]> => {
    const names = Object.keys(uris);
    const there = await Promise.all(names.map((name) => isThere(uris[name] as MxcUri)));
    return names.filter((_, index) => there[index]);
  };
  const blobs = (): number =>
    readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .length;
  const wish = (more: Partial<IdleWish> = {}): IdleWish => ({
    of: 'local',
    beforeTs: ports.clock.nowMs(),
    removesProtected: false,
    keeps: 'nothing',
    ...more,
  });
  let transactions = 0;
  const send = (roomId: RoomId, content: JsonObject, type = 'm.room.message', user = alice) =>
    rooms.rooms.sendMessage(user, {
      roomId,
      type,
      content,
      transaction: { deviceNid: user.deviceNid, path: 'send', txnId: String(++transactions) },
    });
  const protect = (uri: MxcUri): Promise<void> => setProtected(ctx, uri.mediaId, true);

  it('takes what nobody has read for so long, and what it takes is gone for good', async () => {
    const uris: Record<string, MxcUri> = { old: await upload('a'), read: await upload('b'), same: await upload('a') };
    await protect(uris['same'] as MxcUri);
    await ports.advance(10 * dayMs);
    await open(uris['read'] as MxcUri);
    uris['young'] = await upload('c');
    await db.drained();
    expect(blobs()).toBe(3);
    expect(await removeIdleMedia(removing, wish({ beforeTs: ports.clock.nowMs() - 5 * dayMs }))).toEqual({
      files: 1,
      bytes: 1,
    });
    expect(await thereOf(uris)).toEqual(['read', 'same', 'young']);
    // Somebody else has the same content.
    expect(blobs()).toBe(3);
    await ports.advance(6 * dayMs);
    const removed = await removeIdleMedia(
      removing,
      wish({ beforeTs: ports.clock.nowMs() - 5 * dayMs, removesProtected: true }),
    );
    expect([removed, await thereOf(uris), blobs()]).toEqual([{ files: 3, bytes: 3 }, [], 0]);
  });

  it('spares what is in quarantine, what came to be wanted meanwhile, and what is not of its class', async () => {
    const hidden = await upload('hidden');
    const { sha256 } = (await db.one(mediaAt, { origin: hidden.serverName, mediaId: hidden.mediaId })) ?? {};
    await db.write((unit) => unit.run(quarantineContent, { sha256: sha256 as Buffer, by: '@admin:test' })).committed;
    const own = await addOwnContent(ctx, 'test' as MxcUri['serverName'], {
      bytes: Buffer.from('image of a preview'),
      contentType: 'image/png',
      fileName: undefined,
    });
    const uris = { hidden, own, copied: await copy('x', 'copied'), wanted: await upload('wanted') };
    await ports.advance(10 * dayMs);
    const held = db.holdNext('media.idle');
    const removing1 = removeIdleMedia(removing, wish());
    await held.reached;
    const day = ports.clock.nowMs() - (ports.clock.nowMs() % dayMs);
    const { serverName: origin, mediaId } = uris.wanted;
    await db.write((unit) => unit.run(noteMediaAccess, { origin, mediaId, day })).committed;
    held.release();
    expect(await removing1).toEqual({ files: 0, bytes: 0 });
    expect(await thereOf(uris)).toEqual(['hidden', 'own', 'copied', 'wanted']);
    expect(blobs()).toBe(4);
  });

  it('spares avatars as long as they are: of users, rooms and members', async () => {
    const roomId = await rooms.createRoom(alice);
    const uris = {
      user: await upload('1'),
      room: await upload('2'),
      member: await upload('3'),
      formerRoom: await upload('4'),
      formerUser: await upload('5'),
      message: await upload('6'),
    };
    const set = (uri: MxcUri) =>
      db.write((unit) =>
        unit.run(setProfileField, {
          user: alice.userNid,
          name: 'avatar_url',
          value: JSON.stringify(formatMxcUri(uri)),
        }),
      ).committed;
    await set(uris.formerUser);
    await set(uris.user);
    await rooms.setState(alice, roomId, 'm.room.avatar', { url: formatMxcUri(uris.formerRoom) });
    await rooms.setState(alice, roomId, 'm.room.avatar', { url: formatMxcUri(uris.room) });
    const member = { membership: 'join', avatar_url: formatMxcUri(uris.member) };
    await rooms.setState(alice, roomId, 'm.room.member', member, alice.userId);
    await send(roomId, { msgtype: 'm.file', body: 'a', url: formatMxcUri(uris.message) });
    await ports.advance(2 * dayMs);
    expect(await removeIdleMedia(removing, wish({ keeps: 'avatars' }))).toEqual({ files: 3, bytes: 3 });
    expect(await thereOf(uris)).toEqual(['user', 'room', 'member']);
  });

  it('of what nothing names spares what events, profiles and settings name, and whatever may be named encrypted', async () => {
    const bob = await rooms.user('bob');
    const roomId = await rooms.createRoom(alice);
    await rooms.setState(bob, roomId, 'm.room.member', { membership: 'join' }, bob.userId);
    const uris = {
      sent: await upload('1'),
      redacted: await upload('2'),
      never: await upload('3'),
      emoticon: await upload('4'),
      field: await upload('5'),
      ofBob: await upload('6', bob),
    };
    await send(roomId, { msgtype: 'm.file', body: 'a', url: formatMxcUri(uris.sent) });
    const eventId = await send(roomId, { msgtype: 'm.file', body: 'a', url: formatMxcUri(uris.redacted) });
    await rooms.rooms.redactEvent(alice, {
      roomId,
      eventId,
      content: {},
      transaction: { deviceNid: alice.deviceNid, path: 'redact', txnId: '1' },
    });
    await rooms.setAccountData(alice, 'im.ponies.user_emotes', { images: { a: { url: formatMxcUri(uris.emoticon) } } });
    const banner = { user: alice.userNid, name: 'org.example.banner', value: JSON.stringify(formatMxcUri(uris.field)) };
    await db.write((unit) => unit.run(setProfileField, banner)).committed;
    await send(roomId, { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' }, 'm.room.encrypted', bob);
    await ports.advance(2 * dayMs);
    expect(await removeIdleMedia(removing, wish({ keeps: 'named' }))).toEqual({ files: 2, bytes: 2 });
    expect(await thereOf(uris)).toEqual(['sent', 'emoticon', 'field', 'ofBob']);
  });

  it('of copies takes those that nobody reads; nobody can know what is named encrypted somewhere', async () => {
    const roomId = await rooms.createRoom(alice);
    const uris = { named: await copy('named', '1'), other: await copy('other', '2'), local: await upload('3') };
    await send(roomId, { msgtype: 'm.file', body: 'a', url: formatMxcUri(uris.named) });
    await ports.advance(2 * dayMs);
    expect(await removeIdleMedia(removing, wish({ of: 'remote', keeps: 'named' }))).toEqual({ files: 1, bytes: 1 });
    expect(await thereOf(uris)).toEqual(['named', 'local']);
    await copy('later', '4');
    await send(roomId, { ciphertext: 'x' }, 'm.room.encrypted');
    await ports.advance(2 * dayMs);
    expect(await removeIdleMedia(removing, wish({ of: 'remote', keeps: 'named' }))).toEqual({ files: 0, bytes: 0 });
    await expect(purgeRemoteMedia(removing, 1_700_000_000)).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
    expect(await purgeRemoteMedia(removing, ports.clock.nowMs())).toEqual({ files: 2, bytes: 2 });
    expect(await thereOf(uris)).toEqual(['local']);
  });

  it('waits where it is not known yet what events name', async () => {
    const uri = await upload('a');
    await ports.advance(2 * dayMs);
    const unknowing = { ...removing, referencesKnown: () => Promise.resolve(false) };
    expect(await removeIdleMedia(unknowing, wish({ keeps: 'named' }))).toBeUndefined();
    expect(await removeIdleMedia(unknowing, wish({ keeps: 'avatars' }))).toBeUndefined();
    expect(await isThere(uri)).toBe(true);
  });

  const thumbnailOf = async (sha256: Buffer, width: number, text: string, usedTs: number): Promise<void> => {
    const shape = { width, height: 1, method: 'crop', animated: 0, contentType: 'image/png' };
    await ctx.blobs.keep(await ctx.blobs.receive(bodyOf(text), undefined), (unit, facts) =>
      unit.run(insertThumbnail, { ...shape, source: sha256, sha256: facts.sha256, bytes: facts.sizeBytes, usedTs }),
    );
  };

  it('takes thumbnails that nobody asks for, and many pages of files', async () => {
    const day = ports.clock.nowMs() - (ports.clock.nowMs() % dayMs);
    for (let i = 0; i < limits.administeredMediaPageMax * 2 + 10; i++) await upload(`file ${i % 40}`);
    const { sha256 } = await open(await upload('source'));
    await thumbnailOf(sha256, 1, 'one', day);
    await thumbnailOf(sha256, 2, 'two', day);
    await ports.advance(3 * dayMs);
    const use = { source: sha256, width: 2, height: 1, method: 'crop', animated: 0, day: day + 2 * dayMs };
    await db.write((unit) => unit.run(noteThumbnailUse, use)).committed;
    const before = blobs();
    expect(await removeIdleThumbnails(removing, ports.clock.nowMs() - dayMs)).toEqual({ files: 1, bytes: 3 });
    expect(blobs()).toBe(before - 1);
    const removed = await removeIdleMedia(removing, wish());
    expect([removed?.files, blobs()]).toEqual([limits.administeredMediaPageMax * 2 + 11, 0]);
  });

  it('is done as configured, a while after each start, and says what it did', async () => {
    const metrics = new Metrics({ process: false });
    const failed: unknown[] = [];
    const settings = {
      ...loadConfig(undefined, {}).media.retention,
      localDays: 30,
      unreferencedDays: 10,
      remoteDays: 5,
      thumbnailDays: 5,
    };
    const roomId = await rooms.createRoom(alice);
    const uris = { named: await upload('1'), unnamed: await upload('22'), copied: await copy('x', '333') };
    await send(roomId, { msgtype: 'm.file', body: 'a', url: formatMxcUri(uris.named) });
    const open1 = await open(uris.named);
    await thumbnailOf(open1.sha256, 1, '4444', 0);
    const retention = new MediaRetention({
      ...removing,
      timers: ports.timers,
      clock: ports.clock,
      settings,
      metrics: lifeMetrics(metrics),
      onFailed: (error) => failed.push(error),
    });
    retention.start();
    await ports.advance(6 * dayMs);
    await retention.run();
    expect(await thereOf(uris)).toEqual(['named', 'unnamed']);
    await ports.advance(6 * dayMs);
    await retention.run();
    expect(await thereOf(uris)).toEqual(['named']);
    expect(await loadMediaTotals(ctx)).toMatchObject({
      classes: { local: { files: 1, bytes: 1 }, remote: { files: 0, bytes: 0 }, thumbnail: { files: 0, bytes: 0 } },
      stored: { files: 1, bytes: 1 },
      references: 1,
      named: 1,
    });
    const text = await metrics.text();
    for (const line of [
      'veche_media_removed_total{why="remote"} 1',
      'veche_media_removed_bytes_total{why="remote"} 3',
      'veche_media_removed_total{why="unreferenced"} 1',
      'veche_media_removed_total{why="thumbnail"} 1',
      'veche_media_bytes{class="local"} 1',
      'veche_media_files{class="stored"} 1',
    ])
      expect(text).toContain(line);
    await ports.advance(30 * dayMs);
    await retention.run();
    expect([await thereOf(uris), blobs()]).toEqual([[], 0]);
    await retention.close();
    expect(failed).toEqual([]);
  });

  it('removes what could not be removed when it was deleted', async () => {
    const uri = await upload('a');
    const failing: Pick<LocalBlobStore, 'remove'> = store;
    const { remove } = failing;
    failing.remove = () => Promise.reject(new Error('the store does not answer'));
    await ports.advance(2 * dayMs);
    await expect(removeIdleMedia(removing, wish())).rejects.toThrow('does not answer');
    failing.remove = remove;
    expect([await isThere(uri), blobs()]).toEqual([false, 1]);
    await ctx.blobs.collectUnreferenced();
    expect(blobs()).toBe(0);
  });

  it('knows the files of a room, and what is known of a file', async () => {
    const roomId = await rooms.createRoom(alice);
    const uri = await upload('abc');
    await send(roomId, {
      msgtype: 'm.file',
      body: 'a',
      url: formatMxcUri(uri),
      info: { thumbnail_url: 'mxc://b.example/t' },
    });
    await removing.referencesKnown();
    expect(await listMediaOfRoom(ctx, roomId)).toEqual({ local: [formatMxcUri(uri)], remote: ['mxc://b.example/t'] });
    await expect(listMediaOfRoom(ctx, '!nowhere:test' as RoomId)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    expect(await getFileInfo(ctx, uri)).toMatchObject({ userId: alice.userId, isLocal: true, row: { bytes: 3 } });
    await expect(getFileInfo(ctx, { ...uri, mediaId: 'x' })).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });
});
