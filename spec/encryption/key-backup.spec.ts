import { expect, it } from 'vitest';
import * as keys from '../../src/encryption/backed-up-keys.ts';
import * as backups from '../../src/encryption/key-backup-versions.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { KeyedLock } from '../../src/platform/keyed-lock.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

const alice = 1;
const bob = 2;
const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2';
const missing = { status: 404, errcode: 'M_NOT_FOUND' };

describeOnBothEngines('key backups', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const ctx = { db, locks: new KeyedLock<number>() };
    const create = (user = alice, authData: JsonObject = { public_key: 'k' }) =>
      backups.createKeyBackup(ctx, user, { algorithm, authData });
    const put = (version: string, uploads: readonly keys.UploadedKey[], user = alice) =>
      keys.putBackedUpKeys(ctx, user, version, uploads);
    const read = async (version: string, roomId?: string, user = alice) =>
      JSON.parse(await keys.readBackedUpKeys(ctx, user, version, roomId)) as unknown;
    return { db, ctx, create, put, read };
  };

  it('have versions of their own for each user, the newest of which is the current one', async () => {
    const { ctx, create } = await start();
    await expect(backups.getKeyBackup(ctx, alice)).rejects.toMatchObject(missing);
    expect([await create(), await create(), await create(bob)]).toEqual(['1', '2', '1']);
    const info = { algorithm, auth_data: { public_key: 'k' }, count: 0, etag: '0' };
    expect(await backups.getKeyBackup(ctx, alice)).toEqual({ ...info, version: '2' });
    expect(await backups.getKeyBackup(ctx, alice, '1')).toEqual({ ...info, version: '1' });
    for (const version of ['3', '0', '01', '1.0', 'x', '', '9'.repeat(30)])
      await expect(backups.getKeyBackup(ctx, alice, version)).rejects.toMatchObject(missing);
  });

  it('do not give a number twice, and the one before is current when the newest is deleted', async () => {
    const { ctx, create, put, read } = await start();
    await create();
    await create();
    await put('2', [key('!a', 's')]);
    await backups.deleteKeyBackup(ctx, alice, '2');
    await backups.deleteKeyBackup(ctx, alice, '2');
    await expect(read('2')).rejects.toMatchObject(missing);
    await expect(backups.getKeyBackup(ctx, alice, '2')).rejects.toMatchObject(missing);
    await expect(backups.deleteKeyBackup(ctx, alice, '3')).rejects.toMatchObject(missing);
    expect(await backups.getKeyBackup(ctx, alice)).toMatchObject({ version: '1' });
    expect(await put('1', [key('!a', 's')])).toEqual({ etag: '1', count: 1 });
    expect(await create()).toBe('3');
    expect(await read('3')).toEqual({ rooms: {} });
  });

  it('are read whole in slices, and not at all where they are too large for one answer', async () => {
    const { ctx, create, put, read } = await start();
    const version = await create();
    const uploads = Array.from({ length: 1_203 }, (_, index) => key(`!${index % 3}`, `s${index % 700}`));
    const { count } = await put(version, uploads);
    const { rooms } = (await read(version)) as { rooms: Record<string, { sessions: object }> };
    const sizes = Object.values(rooms).map(({ sessions }) => Object.keys(sessions).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
    for (const [roomId, sessions] of Object.entries(rooms)) expect(await read(version, roomId)).toEqual(sessions);
    const tooLarge = { status: 413, errcode: 'M_TOO_LARGE' };
    await expect(keys.readBackedUpKeys(ctx, alice, version, undefined, 10_000)).rejects.toMatchObject(tooLarge);
    await expect(put(version, [key('!a', '')])).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
  });

  it('change auth_data alone', async () => {
    const { ctx, create, put } = await start();
    const version = await create();
    await put(version, [key('!a', 's')]);
    const change = (more: Partial<Parameters<typeof backups.updateKeyBackup>[3]>) =>
      backups.updateKeyBackup(ctx, alice, version, {
        algorithm,
        authData: { new: [true] },
        versionInBody: undefined,
        ...more,
      });
    await change({ versionInBody: version });
    const changed = { algorithm, auth_data: { new: [true] }, count: 1, etag: '1', version };
    expect(await backups.getKeyBackup(ctx, alice)).toEqual(changed);
    const refused = { status: 400, errcode: 'M_INVALID_PARAM' };
    await expect(change({ algorithm: 'm.other' })).rejects.toMatchObject(refused);
    await expect(change({ versionInBody: '2' })).rejects.toMatchObject(refused);
    await expect(change({ authData: { large: 'x'.repeat(65_536) } })).rejects.toMatchObject({ status: 413 });
    expect(await backups.getKeyBackup(ctx, alice)).toEqual(changed);
  });

  it('give keys back as they came: of all rooms, of one room, of one session', async () => {
    const { ctx, create, put, read } = await start();
    const version = await create();
    const [one, two, three] = [key('!a', '__proto__'), key('!a', 's2'), key('!b:c', 's2')];
    expect(await put(version, [one, two, three])).toEqual({ etag: '1', count: 3 });
    const all = JSON.stringify(await read(version));
    expect(JSON.parse(all)).toEqual(
      JSON.parse(
        `{"rooms":{"!a":{"sessions":{"__proto__":${JSON.stringify(one.key)},"s2":${JSON.stringify(two.key)}}},
          "!b:c":{"sessions":{"s2":${JSON.stringify(three.key)}}}}}`,
      ),
    );
    expect(await read(version, '!b:c')).toEqual({ sessions: { s2: three.key } });
    expect(await read(version, '!none')).toEqual({ sessions: {} });
    const readOne = (roomId: string, sessionId: string) =>
      keys.readBackedUpKey(ctx, alice, version, { roomId, sessionId });
    expect(JSON.parse(await readOne('!a', 's2'))).toEqual(two.key);
    await expect(readOne('!b:c', '__proto__')).rejects.toMatchObject(missing);
    await create(bob);
    expect(await read('1', undefined, bob)).toEqual({ rooms: {} });
  });

  it('count keys, and change their etag when something has changed', async () => {
    const { ctx, create, put } = await start();
    const version = await create();
    expect(await put(version, [])).toEqual({ etag: '0', count: 0 });
    expect(await put(version, [key('!a', 's1'), key('!a', 's2'), key('!b', 's1')])).toEqual({ etag: '1', count: 3 });
    expect(await put(version, [key('!a', 's1')])).toEqual({ etag: '1', count: 3 });
    expect(await put(version, [key('!a', 's1', { isVerified: true })])).toEqual({ etag: '2', count: 3 });
    const remove = (selection: keys.KeySelection) => keys.removeBackedUpKeys(ctx, alice, version, selection);
    expect(await remove({ roomId: '!none' })).toEqual({ etag: '2', count: 3 });
    expect(await remove({ roomId: '!a', sessionId: 'none' })).toEqual({ etag: '2', count: 3 });
    expect(await remove({ roomId: '!a', sessionId: 's2' })).toEqual({ etag: '3', count: 2 });
    expect(await remove({ roomId: '!a' })).toEqual({ etag: '4', count: 1 });
    expect(await remove({})).toEqual({ etag: '5', count: 0 });
    expect(await remove({})).toEqual({ etag: '5', count: 0 });
    expect(await backups.getKeyBackup(ctx, alice)).toMatchObject({ etag: '5', count: 0 });
    await expect(keys.removeBackedUpKeys(ctx, alice, '7', {})).rejects.toMatchObject(missing);
  });

  it('keep the better key, whichever comes first', async () => {
    const { create, put, read } = await start();
    const version = await create();
    // From the worst to the best.
    const qualities = [
      { isVerified: false, firstMessageIndex: 5, forwardedCount: 2 },
      { isVerified: false, firstMessageIndex: 5, forwardedCount: 1 },
      { isVerified: false, firstMessageIndex: 4, forwardedCount: 9 },
      { isVerified: true, firstMessageIndex: 9, forwardedCount: 3 },
      { isVerified: true, firstMessageIndex: 9, forwardedCount: 2 },
      { isVerified: true, firstMessageIndex: 8, forwardedCount: 7 },
    ];
    let session = 0;
    for (const [worse, less] of qualities.entries())
      for (const more of qualities.slice(worse + 1)) {
        const [first, second] = [`${++session}`, `${++session}`];
        const good = key('!a', first, more);
        await put(version, [key('!a', first, less), key('!a', second, more)]);
        await put(version, [good, key('!a', second, less)]);
        const kept = { [first]: good.key, [second]: key('!a', second, more).key };
        expect(await read(version, '!a')).toMatchObject({ sessions: kept });
      }
  });

  it('take keys into the newest version only', async () => {
    const { ctx, create, put, read } = await start();
    await expect(put('1', [key('!a', 's')])).rejects.toMatchObject(missing);
    await create();
    await create();
    const wrong = { status: 403, errcode: 'M_WRONG_ROOM_KEYS_VERSION', extra: { current_version: '2' } };
    await expect(put('1', [key('!a', 's')])).rejects.toMatchObject(wrong);
    await backups.deleteKeyBackup(ctx, alice, '1');
    await expect(put('1', [key('!a', 's')])).rejects.toMatchObject(wrong);
    await expect(put('3', [key('!a', 's')])).rejects.toMatchObject(missing);
    expect(await read('2')).toEqual({ rooms: {} });
  });

  it('take all keys of a request or none, in one unit', async () => {
    const { db, ctx, create, put, read } = await start();
    const version = await create();
    await put(version, [key('!a', 'old')]);
    db.failNextWrite();
    await expect(put(version, [key('!a', 'new'), key('!b', 'new')])).rejects.toThrow('the write did not happen');
    expect(db.failuresToCome).toBe(0);
    db.failNextWrite();
    await expect(keys.removeBackedUpKeys(ctx, alice, version, {})).rejects.toThrow('the write did not happen');
    expect(await read(version)).toEqual({ rooms: { '!a': { sessions: { old: key('!a', 'old').key } } } });
    expect(await backups.getKeyBackup(ctx, alice)).toMatchObject({ etag: '1', count: 1 });
    const large = key('!a', 'large', {}, { ciphertext: 'x'.repeat(limits.backedUpKeyBytesMax) });
    await expect(put(version, [key('!a', 'new'), large])).rejects.toMatchObject({ status: 413 });
    for (const id of ['!a\0', `!${'a'.repeat(255)}`])
      await expect(put(version, [key('!a', 'new'), key(id, 's')])).rejects.toMatchObject({ status: 400 });
    expect(await backups.getKeyBackup(ctx, alice)).toMatchObject({ etag: '1', count: 1 });
  });

  it('are changed by one request at a time', async () => {
    const { ctx, create, put } = await start();
    const version = await create();
    const all = Array.from({ length: 20 }, (_, n) => put(version, [key('!a', `s${n % 10}`), key('!b', `s${n}`)]));
    const answers = await Promise.all(all);
    expect(answers.at(-1)).toEqual({ etag: '20', count: 30 });
    expect(await backups.getKeyBackup(ctx, alice)).toMatchObject({ etag: '20', count: 30 });
  });

  it('are bounded', async () => {
    const { create } = await start();
    for (let n = 0; n < limits.keyBackupsMax; n++) await create();
    await expect(create()).rejects.toMatchObject({ status: 413, errcode: 'M_TOO_LARGE' });
    expect(await create(bob)).toBe('1');
  });
});

function key(
  roomId: string,
  sessionId: string,
  quality: Partial<keys.UploadedKey> = {},
  session_data: JsonObject = { ephemeral: 'e', ciphertext: `${roomId} ${sessionId}`, mac: 'm' },
): keys.UploadedKey {
  const { isVerified, firstMessageIndex, forwardedCount } = {
    isVerified: false,
    firstMessageIndex: 10,
    forwardedCount: 5,
    ...quality,
  };
  const wire = { first_message_index: firstMessageIndex, forwarded_count: forwardedCount, is_verified: isVerified };
  const object = { ...wire, session_data, 'org.example.further': { kept: true } };
  return { roomId, sessionId, isVerified, firstMessageIndex, forwardedCount, key: object };
}
