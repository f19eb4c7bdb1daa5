/** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid */
import { limits } from '../../platform/limits.ts';
import { type TimedEvent, eventsAfterTime, eventsBeforeTime } from '../../storage/stores/event-time-store.ts';
import type { AnswersContext, AskedRoom } from './context.ts';

/** The nearest of those that the server may see; the time itself counts. undefined: none of those that were looked at. */
export async function findClosestEvent(
  { rooms: { db }, visibility }: AnswersContext,
  asked: AskedRoom,
  ts: number,
  dir: 'f' | 'b',
): Promise<TimedEvent | undefined> {
  const query = dir === 'f' ? eventsAfterTime : eventsBeforeTime;
  let at = { ts, ord: dir === 'f' ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER };
  for (let looked = 0; looked < limits.historyWalkMax; looked += sliceEvents) {
    const rows = await db.all(query, { room: asked.dag.room, ...at, limit: sliceEvents });
    const visible = await visibility.visibleTo(asked, rows);
    const found = rows.find((row) => visible.has(row.nid));
    const last = rows.at(-1);
    if (found !== undefined || last === undefined || rows.length < sliceEvents) return found;
    at = { ts: last.ts, ord: last.ord };
  }
  return undefined;
}

const sliceEvents = 50;
