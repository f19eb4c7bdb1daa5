/**
 * Pushers: where users want to be notified. How far a pusher has been told stands in two places: the server's own position
 * (the fact `push_pos`), up to which all events were looked at, and the pusher's told_pos. Events up to the higher one need
 * no push any more; but of a pusher that is `behind` only those up to its own.
 */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface PusherRow {
  readonly pusher: number;
  readonly user_nid: number;
  readonly user_id: string;
  readonly app_id: string;
  readonly pushkey: string;
  readonly kind: string;
  readonly app_display_name: string;
  readonly device_display_name: string;
  readonly profile_tag: string | null;
  readonly lang: string;
  /** JSON text. */
  readonly data: string;
  readonly enabled: number;
  /** Whose session set it last. */
  readonly device_id: string | null;
  readonly pushkey_ts: number;
  readonly told_pos: number;
  readonly behind: number;
  /** Of an e-mail pusher, when the last message was sent, and how long after it none may be; null: none was sent, or the shortest time. */
  readonly mailed_ts: number | null;
  readonly mail_wait_ms: number | null;
}

const columns = [
  'p.pusher',
  'p.user_nid',
  'u.user_id',
  'p.app_id',
  'p.pushkey',
  'p.kind',
  'p.app_display_name',
  'p.device_display_name',
  'p.profile_tag',
  'p.lang',
  'p.data',
  'p.enabled',
  'd.device_id',
  'p.pushkey_ts',
  'p.told_pos',
  'p.behind',
  'p.mailed_ts',
  'p.mail_wait_ms',
] as const;

export const pushersOfUser = defineRead<{ user: number }, PusherRow>('pusher.ofUser', (q, p) =>
  q
    .selectFrom('pusher as p')
    .innerJoin('user_name as u', 'u.user_nid', 'p.user_nid')
    .leftJoin('device as d', 'd.device_nid', 'p.device')
    .select([...columns])
    .where('p.user_nid', '=', p.user)
    .orderBy('p.pusher'),
);

/** Of all users, in slices. */
export const pushersAfter = defineRead<{ after: number; limit: number }, PusherRow>('pusher.after', (q, p) =>
  q
    .selectFrom('pusher as p')
    .innerJoin('user_name as u', 'u.user_nid', 'p.user_nid')
    .leftJoin('device as d', 'd.device_nid', 'p.device')
    .select([...columns])
    .where('p.pusher', '>', p.after)
    .orderBy('p.pusher')
    .limit(bigint(p.limit)),
);

/** Of e-mail pushers, whose pushkey is the address in canonical form. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset */
export const emailAppId = 'm.email';

export interface PusherKey {
  readonly appId: string;
  readonly pushkey: string;
}

export const usersOfPushkey = defineRead<PusherKey, { user_nid: number }>('pusher.usersOfPushkey', (q, p) =>
  q.selectFrom('pusher').select('user_nid').where('app_id', '=', p.appId).where('pushkey', '=', p.pushkey),
);

export const pushersOfPushkey = defineRead<PusherKey, { data: string; enabled: number }>('pusher.ofPushkey', (q, p) =>
  q.selectFrom('pusher').select(['data', 'enabled']).where('app_id', '=', p.appId).where('pushkey', '=', p.pushkey),
);

/** One that is there stays where it is in being told. `enabled`: 1 or 0. */
export const upsertPusher = defineWrite<
  PusherKey & {
    pusher: number;
    user: number;
    kind: string;
    appDisplayName: string;
    deviceDisplayName: string;
    profileTag: string | null;
    lang: string;
    data: string;
    enabled: number;
    device: number | null;
    pushkeyTs: number;
    toldPos: number;
  }
>('pusher.upsert', (q, p) =>
  q
    .insertInto('pusher')
    .values({
      pusher: p.pusher,
      user_nid: p.user,
      app_id: p.appId,
      pushkey: p.pushkey,
      kind: p.kind,
      app_display_name: p.appDisplayName,
      device_display_name: p.deviceDisplayName,
      profile_tag: p.profileTag,
      lang: p.lang,
      data: p.data,
      enabled: p.enabled,
      device: p.device,
      pushkey_ts: p.pushkeyTs,
      told_pos: p.toldPos,
      behind: 0,
      mailed_ts: null,
      mail_wait_ms: null,
    })
    .onConflict((conflict) =>
      conflict.columns(['app_id', 'pushkey', 'user_nid']).doUpdateSet((e) => ({
        kind: e.ref('excluded.kind'),
        app_display_name: e.ref('excluded.app_display_name'),
        device_display_name: e.ref('excluded.device_display_name'),
        profile_tag: e.ref('excluded.profile_tag'),
        lang: e.ref('excluded.lang'),
        data: e.ref('excluded.data'),
        enabled: e.ref('excluded.enabled'),
        device: e.ref('excluded.device'),
        pushkey_ts: e.ref('excluded.pushkey_ts'),
        // Of what comes while it is switched off it is never told.
        behind: e('pusher.behind', '*', e.ref('excluded.enabled')),
      })),
    ),
);

/** Everything up to the position is told, or needs not be told any more. */
export const setPusherTold = defineWrite<{ pusher: number; pos: number }>('pusher.setTold', (q, p) =>
  q.updateTable('pusher').set({ told_pos: p.pos }).where('pusher', '=', p.pusher).where('told_pos', '<', p.pos),
);

/** A message that tells of everything up to the position is about to be sent. */
export const setPusherMailed = defineWrite<{ pusher: number; pos: number; ts: number; waitMs: number }>(
  'pusher.setMailed',
  (q, p) =>
    q
      .updateTable('pusher')
      .set({ told_pos: p.pos, mailed_ts: p.ts, mail_wait_ms: p.waitMs })
      .where('pusher', '=', p.pusher),
);

/** It was not sent after all; whatever the server's own position is, the pusher is to be told what comes after its own. */
export const setPusherUnmailed = defineWrite<{ pusher: number; pos: number; ts: number | null; waitMs: number | null }>(
  'pusher.setUnmailed',
  (q, p) =>
    q
      .updateTable('pusher')
      .set({ told_pos: p.pos, behind: 1, mailed_ts: p.ts, mail_wait_ms: p.waitMs })
      .where('pusher', '=', p.pusher),
);

/** Before the server's own position is moved past something that the pusher was not told of. */
export const setPusherBehind = defineWrite<{ pusher: number; pos: number }>('pusher.setBehind', (q, p) =>
  q.updateTable('pusher').set({ told_pos: p.pos, behind: 1 }).where('pusher', '=', p.pusher),
);
/** Together with the server's own position. */
export const setPusherCaughtUp = defineWrite<{ pusher: number }>('pusher.setCaughtUp', (q, p) =>
  q.updateTable('pusher').set({ behind: 0 }).where('pusher', '=', p.pusher),
);

export const deletePusher = defineWrite<PusherKey & { user: number }>('pusher.delete', (q, p) =>
  q.deleteFrom('pusher').where('app_id', '=', p.appId).where('pushkey', '=', p.pushkey).where('user_nid', '=', p.user),
);

export const deletePushersOfDevices = defineWrite<{ devices: readonly number[] }>('pusher.deleteOfDevices', (q, p) =>
  q.deleteFrom('pusher').where('device', 'in', p.list('devices')),
);
export const deletePushersOfUser = defineWrite<{ user: number }>('pusher.deleteOfUser', (q, p) =>
  q.deleteFrom('pusher').where('user_nid', '=', p.user),
);

/** Rooms in which users who have pushers are joined, and since when; in slices of users. */
export const joinedRoomsOfUsers = defineRead<
  { users: readonly number[] },
  { user_nid: number; room: number; pos: number }
>('pusher.joinedRoomsOfUsers', (q, p) =>
  q
    .selectFrom('user_room')
    .select(['user_nid', 'room', 'pos'])
    .where('user_nid', 'in', p.list('users'))
    .where('membership', '=', 'join'),
);

/** Of these rooms, those in which something came after an order value. */
export const roomsWithNews = defineRead<{ rooms: readonly number[]; after: number }, { room: number }>(
  'pusher.roomsWithNews',
  (q, p) =>
    q
      .selectFrom('room as r')
      .select('r.room')
      .where('r.room', 'in', p.list('rooms'))
      .where((e) =>
        e.exists(
          e.selectFrom('event as v').select('v.nid').whereRef('v.room', '=', 'r.room').where('v.ord', '>', p.after),
        ),
      ),
);

/** Invites that came after a position, to users who have pushers; in slices of users. */
export const invitesOfUsers = defineRead<
  { users: readonly number[]; after: number },
  { user_nid: number; event: number }
>('pusher.invitesOfUsers', (q, p) =>
  q
    .selectFrom('user_room')
    .select(['user_nid', 'event'])
    .where('user_nid', 'in', p.list('users'))
    .where('membership', '=', 'invite')
    .where('pos', '>', p.after),
);
