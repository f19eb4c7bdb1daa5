/** Backups of room keys: tables key_backup, one row per version, and backed_up_key. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface KeyBackupRow {
  readonly version: number;
  readonly algorithm: string;
  /** JSON text. */
  readonly auth_data: string;
  readonly etag: number;
  readonly keys: number;
  readonly deleted: number;
}

/** Deleted ones included, the newest first. */
export const keyBackupsOfUser = defineRead<{ user: number }, Pick<KeyBackupRow, 'version' | 'deleted'>>(
  'keyBackup.ofUser',
  (q, p) =>
    q.selectFrom('key_backup').select(['version', 'deleted']).where('user_nid', '=', p.user).orderBy('version', 'desc'),
);

export const keyBackup = defineRead<{ user: number; version: number }, KeyBackupRow>('keyBackup.find', (q, p) =>
  q
    .selectFrom('key_backup')
    .select(['version', 'algorithm', 'auth_data', 'etag', 'keys', 'deleted'])
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version),
);

export const insertKeyBackup = defineWrite<{ user: number; version: number; algorithm: string; authData: string }>(
  'keyBackup.insert',
  (q, p) =>
    q.insertInto('key_backup').values({
      user_nid: p.user,
      version: p.version,
      algorithm: p.algorithm,
      auth_data: p.authData,
      etag: 0,
      keys: 0,
      deleted: 0,
    }),
);

export const setKeyBackupAuthData = defineWrite<{ user: number; version: number; authData: string }>(
  'keyBackup.setAuthData',
  (q, p) =>
    q
      .updateTable('key_backup')
      .set({ auth_data: p.authData })
      .where('user_nid', '=', p.user)
      .where('version', '=', p.version),
);

export const setKeyBackupCount = defineWrite<{ user: number; version: number; etag: number; keys: number }>(
  'keyBackup.setCount',
  (q, p) =>
    q
      .updateTable('key_backup')
      .set({ etag: p.etag, keys: p.keys })
      .where('user_nid', '=', p.user)
      .where('version', '=', p.version),
);

/** The number stays taken. */
export const markKeyBackupDeleted = defineWrite<{ user: number; version: number }>('keyBackup.markDeleted', (q, p) =>
  q
    .updateTable('key_backup')
    .set({ auth_data: '{}', keys: 0, deleted: 1 })
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version),
);

export interface BackedUpKeyMetadata {
  readonly session_id: string;
  readonly room_id: string;
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: number;
}

/** Of sessions of any room. */
export const backedUpKeyMetadata = defineRead<
  { user: number; version: number; sessions: readonly string[] },
  BackedUpKeyMetadata
>('backedUpKey.metadata', (q, p) =>
  q
    .selectFrom('backed_up_key')
    .select(['session_id', 'room_id', 'first_message_index', 'forwarded_count', 'is_verified'])
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version)
    .where('session_id', 'in', p.list('sessions')),
);

export interface BackedUpKeyRow {
  readonly room_id: string;
  readonly session_id: string;
  readonly json: string;
}

/** In slices: those after a session and, of sessions with the same id, a room. */
export const backedUpKeysAfter = defineRead<
  { user: number; version: number; sessionId: string; roomId: string; limit: number },
  BackedUpKeyRow
>('backedUpKey.after', (q, p) =>
  q
    .selectFrom('backed_up_key')
    .select(['room_id', 'session_id', 'json'])
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version)
    .where('session_id', '>=', p.sessionId)
    .where((e) => e.or([e('session_id', '>', p.sessionId), e('room_id', '>', p.roomId)]))
    .orderBy('session_id')
    .orderBy('room_id')
    .limit(bigint(p.limit)),
);

/** The same of one room. */
export const backedUpKeysOfRoomAfter = defineRead<
  { user: number; version: number; roomId: string; sessionId: string; limit: number },
  BackedUpKeyRow
>('backedUpKey.ofRoomAfter', (q, p) =>
  q
    .selectFrom('backed_up_key')
    .select(['room_id', 'session_id', 'json'])
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version)
    .where('room_id', '=', p.roomId)
    .where('session_id', '>', p.sessionId)
    .orderBy('session_id')
    .limit(bigint(p.limit)),
);

interface KeyPlace {
  readonly user: number;
  readonly version: number;
  readonly roomId: string;
  readonly sessionId: string;
}

export const backedUpKey = defineRead<KeyPlace, BackedUpKeyRow>('backedUpKey.find', (q, p) =>
  q
    .selectFrom('backed_up_key')
    .select(['room_id', 'session_id', 'json'])
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version)
    .where('room_id', '=', p.roomId)
    .where('session_id', '=', p.sessionId),
);

/** Replaces what is there. */
export const putBackedUpKey = defineWrite<
  KeyPlace & { firstMessageIndex: number; forwardedCount: number; isVerified: number; json: string }
>('backedUpKey.put', (q, p) =>
  q
    .insertInto('backed_up_key')
    .values({
      user_nid: p.user,
      version: p.version,
      room_id: p.roomId,
      session_id: p.sessionId,
      first_message_index: p.firstMessageIndex,
      forwarded_count: p.forwardedCount,
      is_verified: p.isVerified,
      json: p.json,
    })
    .onConflict((conflict) =>
      conflict.columns(['user_nid', 'version', 'session_id', 'room_id']).doUpdateSet((e) => ({
        first_message_index: e.ref('excluded.first_message_index'),
        forwarded_count: e.ref('excluded.forwarded_count'),
        is_verified: e.ref('excluded.is_verified'),
        json: e.ref('excluded.json'),
      })),
    ),
);

export const deleteBackedUpKeys = defineWrite<{ user: number; version: number }>('backedUpKey.deleteAll', (q, p) =>
  q.deleteFrom('backed_up_key').where('user_nid', '=', p.user).where('version', '=', p.version),
);

export const deleteBackedUpKeysOfRoom = defineWrite<{ user: number; version: number; roomId: string }>(
  'backedUpKey.deleteOfRoom',
  (q, p) =>
    q
      .deleteFrom('backed_up_key')
      .where('user_nid', '=', p.user)
      .where('version', '=', p.version)
      .where('room_id', '=', p.roomId),
);

export const deleteBackedUpKey = defineWrite<KeyPlace>('backedUpKey.delete', (q, p) =>
  q
    .deleteFrom('backed_up_key')
    .where('user_nid', '=', p.user)
    .where('version', '=', p.version)
    .where('room_id', '=', p.roomId)
    .where('session_id', '=', p.sessionId),
);

/** With their numbers: for accounts that end. */
export const deleteKeyBackupsOfUser = defineWrite<{ user: number }>('keyBackup.deleteOfUser', (q, p) =>
  q.deleteFrom('key_backup').where('user_nid', '=', p.user),
);
export const deleteBackedUpKeysOfUser = defineWrite<{ user: number }>('backedUpKey.deleteOfUser', (q, p) =>
  q.deleteFrom('backed_up_key').where('user_nid', '=', p.user),
);

export interface RoomKeysCount {
  readonly keys: number;
}
export const countBackedUpKeysOfRoom = defineRead<{ user: number; version: number; roomId: string }, RoomKeysCount>(
  'backedUpKey.countOfRoom',
  (q, p) =>
    q
      .selectFrom('backed_up_key')
      .select((e) => e.fn.countAll<number>().as('keys'))
      .where('user_nid', '=', p.user)
      .where('version', '=', p.version)
      .where('room_id', '=', p.roomId),
);
