import { isEventId } from '../../../matrix/ids/event-id.ts';
import type { RoomId, ServerName } from '../../../matrix/ids/ids.ts';
import { isUserId } from '../../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../matrix/json/json-value.ts';
import { numericValue } from '../../../matrix/json/raw-number.ts';
import { limits } from '../../../platform/limits.ts';
import { serverOf } from '../../../rooms/context.ts';
import { type RemoteReceipt, storeRemoteReceipts } from '../../../rooms/remote-receipts.ts';
import { isAllowedIn } from '../../room-acl.ts';
import type { ReceiveContext } from '../context.ts';
import type { RoomDoors } from '../room-doors.ts';
import type { EduHandler } from './edu-handlers.ts';

/**
 * Only of the origin's own users, and only public ones: private receipts are nobody's business. Of several of one user in one
 * thread of a room the last counts. https://spec.matrix.org/v1.19/server-server-api/#receipts
 */
export function receiveReceipts(ctx: ReceiveContext, doors: RoomDoors): EduHandler {
  return async (origin, contents) => {
    const rooms = new Map<RoomId, Map<string, RemoteReceipt>>();
    let count = 0;
    for (const content of contents)
      for (const [roomId, byType] of objectsIn(content)) {
        const receipts = rooms.get(roomId as RoomId) ?? new Map<string, RemoteReceipt>();
        rooms.set(roomId as RoomId, receipts);
        const [, readers] = objectsIn(byType).find(([type]) => type === 'm.read') ?? [];
        for (const receipt of receiptsIn(origin, readers ?? {})) {
          if (++count > limits.receiptsPerTransactionMax) break;
          receipts.set(`${receipt.threadId ?? ''}\0${receipt.userId}`, receipt);
        }
      }
    for (const [roomId, receipts] of rooms) {
      const dag = receipts.size === 0 ? undefined : await ctx.rooms.dags.find(roomId);
      if (dag === undefined || !(await doors.isInhabited(dag)) || !(await isAllowedIn(dag, origin))) continue;
      await storeRemoteReceipts(ctx.rooms, dag, [...receipts.values()]);
    }
  };
}

function* receiptsIn(origin: ServerName, readers: JsonObject): Iterable<RemoteReceipt> {
  for (const [userId, receipt] of objectsIn(readers)) {
    if (!isUserId(userId) || serverOf(userId) !== origin) continue;
    const { event_ids: eventIds, data } = receipt;
    const eventId: JsonValue | undefined = Array.isArray(eventIds) ? eventIds.at(-1) : undefined;
    const { ts, thread_id: threadId } = isJsonObject(data) ? data : {};
    if (!isEventId(eventId) || (threadId !== undefined && (typeof threadId !== 'string' || threadId === ''))) continue;
    const readMs = numericValue(ts) ?? 0;
    const isTime = Number.isSafeInteger(readMs) && readMs >= 0;
    yield { userId, eventId, threadId, ts: isTime ? readMs : 0 };
  }
}

function objectsIn(object: JsonObject): (readonly [string, JsonObject])[] {
  return Object.entries(object).flatMap(([key, value]) => (isJsonObject(value) ? [[key, value] as const] : []));
}
