import type { RoomId, ServerName, UserId } from '../../../matrix/ids/ids.ts';
import { isUserId } from '../../../matrix/ids/user-id.ts';
import type { JsonObject } from '../../../matrix/json/json-value.ts';
import { serverOf } from '../../../rooms/context.ts';
import { isTakenForJoined } from '../../../rooms/membership.ts';
import type { Typing } from '../../../rooms/typing.ts';
import { isAllowedIn } from '../../room-acl.ts';
import type { ReceiveContext } from '../context.ts';
import type { RoomDoors } from '../room-doors.ts';
import type { EduHandler } from './edu-handlers.ts';

/** Other servers do not say for how long somebody types: whoever does not stop is taken to have stopped. */
const typingMs = 30_000;

/**
 * Only of the origin's own users, and where they are. Of what is told of one user in one room the last counts.
 * https://spec.matrix.org/v1.19/server-server-api/#typing-notifications
 */
export function receiveTyping(ctx: ReceiveContext, doors: RoomDoors, typing: Typing): EduHandler {
  return async (origin, contents) => {
    const last = new Map<string, TypingChange>();
    for (const content of contents) {
      const change = changeOf(origin, content);
      if (change !== undefined) last.set(`${change.roomId}\0${change.userId}`, change);
    }
    for (const { roomId, userId, isTyping } of last.values()) {
      const dag = await ctx.rooms.dags.find(roomId);
      if (dag === undefined || !(await doors.isInhabited(dag)) || !(await isAllowedIn(dag, origin))) continue;
      if (await isTakenForJoined(ctx.rooms, dag, userId)) typing.set(dag.room, userId, isTyping ? typingMs : undefined);
    }
  };
}

interface TypingChange {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly isTyping: boolean;
}

function changeOf(origin: ServerName, content: JsonObject): TypingChange | undefined {
  const { room_id: roomId, user_id: userId, typing: isTyping } = content;
  if (typeof roomId !== 'string' || !isUserId(userId) || typeof isTyping !== 'boolean') return undefined;
  return serverOf(userId) === origin ? { roomId: roomId as RoomId, userId, isTyping } : undefined;
}
