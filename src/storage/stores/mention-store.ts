/**
 * Where a user's unread counts deviate from the room's (docs/decisions: unread counts). user_nid 0: everybody in the room
 * who has no row of their own for the event. notify: by how much the event counts otherwise than the room counts it: 1, 0,
 * or -1 for one that was redacted.
 */
import { defineRead, defineWrite } from '../query.ts';

export interface MentionRow {
  readonly user: number;
  readonly thread: string;
  readonly notify: number;
  readonly highlight: number;
}
export const insertMention = defineWrite<MentionRow & { room: number; ord: number }>('mention.insert', (q, p) =>
  q.insertInto('mention').values({
    user_nid: p.user,
    room: p.room,
    ord: p.ord,
    thread: p.thread,
    notify: p.notify,
    highlight: p.highlight,
  }),
);

export const deleteMentions = defineWrite<{ users: readonly number[]; room: number; ord: number }>(
  'mention.delete',
  (q, p) =>
    q
      .deleteFrom('mention')
      .where('user_nid', 'in', p.list('users'))
      .where('room', '=', p.room)
      .where('ord', '=', p.ord),
);

/** What deviates for a user above an order value, rows for everybody included. One event may have both kinds. */
export const mentionsAbove = defineRead<{ user: number; room: number; above: number }, { ord: number } & MentionRow>(
  'mention.above',
  (q, p) =>
    q
      .selectFrom('mention')
      .select(['user_nid as user', 'ord', 'thread', 'notify', 'highlight'])
      .where((e) => e.or([e('user_nid', '=', p.user), e('user_nid', '=', 0)]))
      .where('room', '=', p.room)
      .where('ord', '>', p.above)
      .orderBy('ord'),
);

/** What deviates for a user above what they have read, in many rooms. CROSS JOIN because SQLite keeps its order. */
export const unreadMentions = defineRead<
  { user: number; rooms: readonly number[] },
  { room: number; ord: number } & MentionRow
>('mention.unread', (q, p) =>
  q
    .selectFrom('user_room as u')
    .crossJoin('mention as m')
    .select(['u.room', 'm.user_nid as user', 'm.ord', 'm.thread', 'm.notify', 'm.highlight'])
    .where('u.user_nid', '=', p.user)
    .where('u.room', 'in', p.list('rooms'))
    .where('m.user_nid', 'in', [p.user, 0])
    .whereRef('m.room', '=', 'u.room')
    .whereRef('m.ord', '>', 'u.read_ord')
    .orderBy('m.ord'),
);
