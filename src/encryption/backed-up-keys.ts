/** The keys in a backup. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
import { invalidParam, MatrixError, notFound, tooLarge } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import {
  backedUpKey,
  backedUpKeyMetadata,
  type BackedUpKeyRow,
  backedUpKeysAfter,
  backedUpKeysOfRoomAfter,
  countBackedUpKeysOfRoom,
  deleteBackedUpKey,
  deleteBackedUpKeys,
  deleteBackedUpKeysOfRoom,
  type KeyBackupRow,
  putBackedUpKey,
  setKeyBackupCount,
} from '../storage/stores/key-backup-store.ts';
import { isBetterKey, type KeyQuality } from './better-key.ts';
import type { EncryptionContext } from './context.ts';
import { currentVersion, noBackup, numberOf, standingBackup } from './key-backup-versions.ts';

/** The key of one session, as a client uploads it. */
export interface UploadedKey extends KeyQuality {
  readonly roomId: string;
  readonly sessionId: string;
  /** The whole object, which is given back as it is. */
  readonly key: JsonObject;
}
/** A session; without `sessionId` all of a room, without `roomId` all. */
export interface KeySelection {
  readonly roomId?: string;
  readonly sessionId?: string;
}
/** Response body of what changes keys. */
export interface KeysChanged extends JsonObject {
  readonly etag: string;
  readonly count: number;
}

type Context = Pick<EncryptionContext, 'db' | 'locks'>;

/**
 * Stores keys in the newest version, each unless what is there is better; all of them or none. Throws 404 M_NOT_FOUND, 403
 * M_WRONG_ROOM_KEYS_VERSION for an older version, 400 M_INVALID_PARAM for ids or numbers of keys that are too large, 413
 * M_TOO_LARGE.
 */
export function putBackedUpKeys(
  ctx: Context,
  userNid: number,
  version: string,
  uploads: readonly UploadedKey[],
): Promise<KeysChanged> {
  return ctx.locks.run(userNid, async () => {
    if (uploads.length > limits.backedUpKeysPerRequestMax)
      throw invalidParam(`A request stores at most ${limits.backedUpKeysPerRequestMax} keys`);
    const texts = uploads.map(checkedText);
    const backup = await currentBackup(ctx, userNid, numberOf(version));
    const present = await presentKeys(ctx, userNid, backup.version, uploads);
    let added = 0;
    const stored = uploads.flatMap((upload, index) => {
      const there = present.get(placeOf(upload.roomId, upload.sessionId));
      if (there !== undefined && !isBetterKey(upload, there)) return [];
      if (there === undefined) added++;
      return [{ upload, json: texts[index] ?? '' }];
    });
    if (stored.length === 0) return { etag: String(backup.etag), count: backup.keys };
    const keys = backup.keys + added;
    if (keys > limits.backedUpKeysMax) throw tooLarge(`A backup has at most ${limits.backedUpKeysMax} keys`);
    const of = { user: userNid, version: backup.version };
    await ctx.db.write((unit) => {
      for (const { upload, json } of stored) {
        const { roomId, sessionId, firstMessageIndex, forwardedCount } = upload;
        const isVerified = upload.isVerified ? 1 : 0;
        unit.run(putBackedUpKey, { ...of, roomId, sessionId, firstMessageIndex, forwardedCount, isVerified, json });
      }
      unit.run(setKeyBackupCount, { ...of, etag: backup.etag + 1, keys }, { changes: 1 });
    }).committed;
    return { etag: String(backup.etag + 1), count: keys };
  });
}

/**
 * JSON text: `{"rooms": …}`, or `{"sessions": …}` of one room. Throws 404 M_NOT_FOUND where there is no such backup, 413
 * M_TOO_LARGE where the keys are more than `bytesMax`: a backup of all rooms can then be read room by room.
 */
export async function readBackedUpKeys(
  ctx: Context,
  userNid: number,
  version: string,
  roomId: string | undefined,
  bytesMax: number = limits.backedUpKeysAnswerBytesMax,
): Promise<string> {
  // Whoever changes keys waits, so that all slices are of one moment.
  return ctx.locks.run(userNid, async () => {
    const backup = await standingBackup(ctx, userNid, numberOf(version));
    const of = { user: userNid, version: backup.version };
    if (roomId !== undefined) {
      const next = ({ session_id: sessionId }: Place): Promise<BackedUpKeyRow[]> =>
        ctx.db.all(backedUpKeysOfRoomAfter, { ...of, roomId, sessionId, limit: sliceKeys });
      return sessionsText(await readAll(next, bytesMax));
    }
    const next = ({ session_id: sessionId, room_id }: Place): Promise<BackedUpKeyRow[]> =>
      ctx.db.all(backedUpKeysAfter, { ...of, sessionId, roomId: room_id, limit: sliceKeys });
    const byRoom = Map.groupBy(await readAll(next, bytesMax), ({ room_id: id }) => id);
    const rooms = Array.from(byRoom, ([id, rows]) => `${JSON.stringify(id)}:${sessionsText(rows)}`);
    return `{"rooms":{${rooms.join()}}}`;
  });
}

const sliceKeys = 500;
type Place = Pick<BackedUpKeyRow, 'session_id' | 'room_id'>;

async function readAll(next: (after: Place) => Promise<BackedUpKeyRow[]>, bytesMax: number): Promise<BackedUpKeyRow[]> {
  const all: BackedUpKeyRow[] = [];
  let bytes = 0;
  for (let after: Place = { session_id: '', room_id: '' }; ;) {
    const rows = await next(after);
    for (const { json } of rows) bytes += json.length;
    if (bytes > bytesMax) throw tooLarge('The keys do not fit into one answer: read the backup room by room');
    all.push(...rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < sliceKeys) return all;
    after = last;
  }
}

/** JSON text of one key. Throws 404 M_NOT_FOUND where there is no such key or backup. */
export async function readBackedUpKey(
  ctx: Context,
  userNid: number,
  version: string,
  place: Required<KeySelection>,
): Promise<string> {
  const backup = await standingBackup(ctx, userNid, numberOf(version));
  const row = await ctx.db.one(backedUpKey, { user: userNid, version: backup.version, ...place });
  if (row === undefined) throw notFound('There is no such key in the backup');
  return row.json;
}

/** Keys that are not there are no error. Throws 404 M_NOT_FOUND where there is no such backup. */
export function removeBackedUpKeys(
  ctx: Context,
  userNid: number,
  version: string,
  selection: KeySelection,
): Promise<KeysChanged> {
  return ctx.locks.run(userNid, async () => {
    const backup = await standingBackup(ctx, userNid, numberOf(version));
    const removed = await countSelected(ctx, userNid, backup, selection);
    if (removed === 0) return { etag: String(backup.etag), count: backup.keys };
    const of = { user: userNid, version: backup.version };
    const keys = backup.keys - removed;
    await ctx.db.write((unit) => {
      const { roomId, sessionId } = selection;
      if (roomId === undefined) unit.run(deleteBackedUpKeys, of, { changes: removed });
      else if (sessionId === undefined) unit.run(deleteBackedUpKeysOfRoom, { ...of, roomId }, { changes: removed });
      else unit.run(deleteBackedUpKey, { ...of, roomId, sessionId }, { changes: removed });
      unit.run(setKeyBackupCount, { ...of, etag: backup.etag + 1, keys }, { changes: 1 });
    }).committed;
    return { etag: String(backup.etag + 1), count: keys };
  });
}

async function countSelected(
  { db }: Context,
  user: number,
  { version, keys }: KeyBackupRow,
  { roomId, sessionId }: KeySelection,
): Promise<number> {
  if (roomId === undefined) return keys;
  if (sessionId === undefined) return (await db.one(countBackedUpKeysOfRoom, { user, version, roomId }))?.keys ?? 0;
  return (await db.one(backedUpKey, { user, version, roomId, sessionId })) === undefined ? 0 : 1;
}

/** Keys can be written to the newest version only. */
async function currentBackup(ctx: Context, userNid: number, version: number | undefined): Promise<KeyBackupRow> {
  const { current, known } = await currentVersion(ctx, userNid);
  if (current === undefined || version === undefined || !known.has(version)) throw noBackup();
  if (version !== current)
    throw new MatrixError(403, 'M_WRONG_ROOM_KEYS_VERSION', 'Keys can be written to the newest backup only', {
      current_version: String(current),
    });
  return standingBackup(ctx, userNid, current);
}

async function presentKeys(
  { db }: Context,
  user: number,
  version: number,
  uploads: readonly UploadedKey[],
): Promise<ReadonlyMap<string, KeyQuality>> {
  const sessions = [...new Set(uploads.map(({ sessionId }) => sessionId))];
  const rows = sessions.length === 0 ? [] : await db.all(backedUpKeyMetadata, { user, version, sessions });
  return new Map(
    rows.map((row) => [
      placeOf(row.room_id, row.session_id),
      {
        isVerified: row.is_verified === 1,
        firstMessageIndex: row.first_message_index,
        forwardedCount: row.forwarded_count,
      },
    ]),
  );
}

function checkedText({ roomId, sessionId, key }: UploadedKey): string {
  if (Buffer.byteLength(roomId) > limits.idBytesMax || Buffer.byteLength(sessionId) > limits.idBytesMax)
    throw invalidParam(`Ids of rooms and sessions have at most ${limits.idBytesMax} bytes`);
  if (roomId === '' || sessionId === '') throw invalidParam('An id is not empty');
  if (roomId.includes('\0') || sessionId.includes('\0')) throw invalidParam('An id has no NUL');
  const text = JSON.stringify(key);
  if (Buffer.byteLength(text) > limits.backedUpKeyBytesMax)
    throw tooLarge(`The key of a session has at most ${limits.backedUpKeyBytesMax} bytes`);
  return text;
}

const sessionsText = (rows: readonly BackedUpKeyRow[]): string =>
  `{"sessions":{${rows.map(({ session_id: id, json }) => `${JSON.stringify(id)}:${json}`).join()}}}`;

/** The length keeps ids of two parts apart. */
const placeOf = (roomId: string, sessionId: string): string => `${roomId.length} ${roomId}${sessionId}`;
