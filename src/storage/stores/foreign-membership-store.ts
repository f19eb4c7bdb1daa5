/** Memberships of local users in rooms that are on other servers alone: table foreign_membership. */
import { defineRead, defineWrite } from '../query.ts';

export interface ForeignMembershipRow {
  readonly event_id: string;
  readonly json: string;
  readonly server_nid: number;
}

export const foreignMembership = defineRead<{ user: number; room: number }, ForeignMembershipRow>(
  'foreignMembership.find',
  (q, p) =>
    q
      .selectFrom('foreign_membership')
      .select(['event_id', 'json', 'server_nid'])
      .where('user_nid', '=', p.user)
      .where('room', '=', p.room),
);

export interface ForeignDepartureRow {
  readonly event_id: string;
  readonly json: string;
  readonly pos: number;
}

/** By which somebody is out of a room whose graph here does not say so: what they are in it is of that table alone. */
export const foreignDeparture = defineRead<{ user: number; room: number }, ForeignDepartureRow>(
  'foreignMembership.departure',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .innerJoin('foreign_membership as f', (join) =>
        join.onRef('f.user_nid', '=', 'u.user_nid').onRef('f.room', '=', 'u.room'),
      )
      .select(['f.event_id', 'f.json', 'u.pos'])
      .where('u.user_nid', '=', p.user)
      .where('u.room', '=', p.room)
      .where('u.membership', 'in', ['leave', 'ban'])
      .where('u.event', '=', 0),
);

export const setForeignMembership = defineWrite<{
  user: number;
  room: number;
  eventId: string;
  json: string;
  server: number;
}>('foreignMembership.set', (q, p) =>
  q
    .insertInto('foreign_membership')
    .values({ user_nid: p.user, room: p.room, event_id: p.eventId, json: p.json, server_nid: p.server })
    .onConflict((conflict) =>
      conflict.columns(['user_nid', 'room']).doUpdateSet((e) => ({
        event_id: e.ref('excluded.event_id'),
        json: e.ref('excluded.json'),
        server_nid: e.ref('excluded.server_nid'),
      })),
    ),
);

export const dropForeignMembership = defineWrite<{ user: number; room: number }>('foreignMembership.drop', (q, p) =>
  q.deleteFrom('foreign_membership').where('user_nid', '=', p.user).where('room', '=', p.room),
);

/** A local user's memberships in these rooms, those included that stand in no graph here. */
export const standingsIn = defineRead<
  { user: number; roomIds: readonly string[] },
  { room_id: string; membership: string }
>('foreignMembership.standingsIn', (q, p) =>
  q
    .selectFrom('room as r')
    .innerJoin('user_room as u', 'u.room', 'r.room')
    .select(['r.room_id', 'u.membership'])
    .where('r.room_id', 'in', p.list('roomIds'))
    .where('u.user_nid', '=', p.user),
);
