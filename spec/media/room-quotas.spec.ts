/** How much the files of a room may have, on both engines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import { formatMxcUri, type MxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { createContent } from '../../src/media/create-content.ts';
import { RoomQuotas } from '../../src/media/life/room-quotas.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { ReferenceDerivation, type ReferenceWork } from '../../src/media/references/reference-derivation.ts';
import { removeContent } from '../../src/media/remove-content.ts';
import { uploadContent, uploadContentToMxc } from '../../src/media/upload-content.ts';
import { limits } from '../../src/platform/limits.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { StreamFollower } from '../../src/rooms/stream-follower.ts';
import type { FollowedRow } from '../../src/storage/stores/media-reference-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type TestPorts, testPorts } from '../support/test-ports.ts';
import { type TestUser, TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';
import { bodyOf, mediaContext } from './support/media-context.ts';

const facts = { contentType: 'text/plain', fileName: undefined, lengthBytes: undefined };

describeOnBothEngines('files of rooms', (engine) => {
  let folder: string;
  let ports: TestPorts;
  let db: WatchedDatabase;
  let store: LocalBlobStore;
  let ctx: MediaContext;
  let rooms: TestRooms;
  let references: StreamFollower<ReferenceWork, FollowedRow>;
  let alice: TestUser;
  let room: RoomId;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
    ports = testPorts();
    db = new WatchedDatabase(await engine.open({ ports }));
    store = await LocalBlobStore.open(folder, ports);
    ctx = mediaContext(db, store, ports);
    references = new StreamFollower(db, new ReferenceDerivation(db), {
      timers: systemTimers,
      onFailed: (error) => {
        throw error;
      },
    });
    const roomFiles = new RoomQuotas({
      db,
      clock: ports.clock,
      roomBytesMax: 100,
      async referencesKnown() {
        await references.settled();
        return true;
      },
    });
    rooms = new TestRooms(db, ports, { roomFiles });
    alice = await rooms.user('alice');
    room = await rooms.createRoom(alice);
  });
  afterEach(async () => {
    await references.close();
    await db.drained();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  let transactions = 0;
  const send = (uri: MxcUri, roomId = room, user = alice, txnId = String(++transactions)): Promise<EventId> =>
    rooms.rooms.sendMessage(user, {
      roomId,
      type: 'm.room.message',
      content: { msgtype: 'm.file', body: 'a', url: formatMxcUri(uri) },
      transaction: { deviceNid: user.deviceNid, path: 'send', txnId },
    });
  const upload = (sizeBytes: number): Promise<MxcUri> =>
    uploadContent(ctx, alice, facts, bodyOf(`${++transactions}`.padEnd(sizeBytes, 'x')));
  const refused = { status: 403, errcode: 'M_FORBIDDEN' };

  it('may have so many bytes together, each once, and of other rooms nothing counts', async () => {
    const [first, second, third] = [await upload(60), await upload(40), await upload(10)];
    await send(first);
    await send(first);
    await send(second);
    await expect(send(third)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('100 bytes') as string,
    });
    // What is there already adds nothing.
    await send(second);
    await rooms.say(alice, room, 'words');
    await send(third, await rooms.createRoom(alice));
    await expect(rooms.setState(alice, room, 'm.room.avatar', { url: formatMxcUri(third) })).rejects.toMatchObject(
      refused,
    );
    const member = { membership: 'join', avatar_url: formatMxcUri(third) };
    await rooms.setState(alice, room, 'm.room.member', member, alice.userId);
  });

  it('have room again when an event is redacted, or a file deleted', async () => {
    const [first, second, third] = [await upload(60), await upload(40), await upload(30)];
    const sent = await send(first);
    await send(second);
    await expect(send(third)).rejects.toMatchObject(refused);
    await rooms.rooms.redactEvent(alice, {
      roomId: room,
      eventId: sent,
      content: {},
      transaction: { deviceNid: alice.deviceNid, path: 'redact', txnId: '1' },
    });
    await send(third);
    await expect(send(first)).rejects.toMatchObject(refused);
    await removeContent(ctx, second);
    await send(first);
  });

  it('hold against many at once, and a repeated transaction is not refused', async () => {
    const uris: MxcUri[] = [];
    for (let i = 0; i < 15; i++) uris.push(await upload(10));
    const sent = await Promise.allSettled(uris.map((uri, i) => send(uri, room, alice, `txn${i}`)));
    const accepted = sent.flatMap((one, i) => (one.status === 'fulfilled' ? [[i, one.value] as const] : []));
    expect(accepted).toHaveLength(10);
    for (const [i, eventId] of accepted) expect(await send(uris[i] as MxcUri, room, alice, `txn${i}`)).toBe(eventId);
  });

  it('are told to nobody who is not in the room', async () => {
    const bob = await rooms.user('bob');
    const large = await upload(101);
    await expect(send(large, room, bob)).rejects.toMatchObject({
      message: expect.not.stringContaining('bytes') as string,
    });
    await expect(send(large)).rejects.toMatchObject(refused);
  });

  it('cost nothing where no file is named, and little where the room is known', async () => {
    const [first, second] = [await upload(10), await upload(10)];
    await send(first);
    await rooms.say(alice, room, 'warm');
    db.reads.length = 0;
    await rooms.say(alice, room, 'words');
    expect(db.reads).toEqual([]);
    await send(second);
    expect(db.reads).toEqual(['mediaReference.bytesNewToRoom']);
  });

  it('that were named before they were there count a while later', async () => {
    const { uri } = await createContent(ctx, alice);
    await send(uri);
    await uploadContentToMxc(ctx, alice, uri, facts, bodyOf('x'.repeat(100)));
    await send(await upload(1));
    await ports.advance(limits.roomQuotaKnownMs);
    await expect(send(await upload(1))).rejects.toMatchObject(refused);
  });
});
