/** The rooms in which the server writes to users: table notice_room. */
import { defineRead, defineWrite } from '../query.ts';

export const noticeRoom = defineRead<{ user: number }, { room_id: string }>('noticeRoom.find', (q, p) =>
  q.selectFrom('notice_room').select('room_id').where('user_nid', '=', p.user),
);

/** Fails with UniqueViolation when the user has one. */
export const insertNoticeRoom = defineWrite<{ user: number; roomId: string }>('noticeRoom.insert', (q, p) =>
  q.insertInto('notice_room').values({ user_nid: p.user, room_id: p.roomId }),
);
