/** What users keep for themselves, globally (room 0) or about a room: table account_data. */
import { defineRead, defineWrite } from '../query.ts';

/** The number that stands for "no room": global account data. */
export const noRoom = 0;

export interface AccountDataRow {
  readonly room: number;
  readonly type: string;
  /** null: deleted */
  readonly json: string | null;
  readonly pos: number;
}

export const accountData = defineRead<{ user: number; room: number; type: string }, { json: string | null }>(
  'accountData.find',
  (q, p) =>
    q
      .selectFrom('account_data')
      .select('json')
      .where('user_nid', '=', p.user)
      .where('room', '=', p.room)
      .where('type', '=', p.type),
);

export const accountDataOfTypes = defineRead<
  { user: number; room: number; types: readonly string[] },
  { type: string; json: string | null }
>('accountData.ofTypes', (q, p) =>
  q
    .selectFrom('account_data')
    .select(['type', 'json'])
    .where('user_nid', '=', p.user)
    .where('room', '=', p.room)
    .where('type', 'in', p.list('types')),
);

/** Changes after `since` up to `until`, for /sync; deletions included. */
export const accountDataSince = defineRead<{ user: number; since: number }, AccountDataRow>(
  'accountData.since',
  (q, p) =>
    q
      .selectFrom('account_data')
      .select(['room', 'type', 'json', 'pos'])
      .where('user_nid', '=', p.user)
      .where('pos', '>', p.since)
      .orderBy('pos'),
);

export const accountDataOfRoom = defineRead<{ user: number; room: number }, AccountDataRow>(
  'accountData.ofRoom',
  (q, p) =>
    q
      .selectFrom('account_data')
      .select(['room', 'type', 'json', 'pos'])
      .where('user_nid', '=', p.user)
      .where('room', '=', p.room)
      .orderBy('type'),
);

export const setAccountData = defineWrite<{
  user: number;
  room: number;
  type: string;
  json: string | null;
  pos: number;
}>('accountData.set', (q, p) =>
  q
    .insertInto('account_data')
    .values({ user_nid: p.user, room: p.room, type: p.type, json: p.json, pos: p.pos })
    .onConflict((conflict) =>
      conflict
        .columns(['user_nid', 'room', 'type'])
        .doUpdateSet((e) => ({ json: e.ref('excluded.json'), pos: e.ref('excluded.pos') })),
    ),
);

/** Global account data of those types that there is; /sync tells of its deletion. */
export const removeAccountDataOfTypes = defineWrite<{ user: number; types: readonly string[]; pos: number }>(
  'accountData.removeTypes',
  (q, p) =>
    q
      .updateTable('account_data')
      .set({ json: null, pos: p.pos })
      .where('user_nid', '=', p.user)
      .where('room', '=', noRoom)
      .where('type', 'in', p.list('types'))
      .where('json', 'is not', null),
);

export const deleteAccountData = defineWrite<{ user: number }>('accountData.delete', (q, p) =>
  q.deleteFrom('account_data').where('user_nid', '=', p.user),
);
