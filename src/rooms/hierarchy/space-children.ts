/** The children of spaces and their order. https://spec.matrix.org/v1.19/client-server-api/#mspacechild-relationship */
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { isRoomId } from '../../matrix/ids/room-id.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import type { JsonObject, JsonValue } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { childEventsOf } from '../../storage/stores/space-store.ts';
import type { RoomsContext } from '../context.ts';
import { pduOf } from '../stored-event.ts';

export interface SpaceChild {
  readonly roomId: RoomId;
  readonly isSuggested: boolean;
  readonly order: string | undefined;
  readonly originServerTs: number;
  /** Servers through which the room may be known. */
  readonly via: readonly ServerName[];
  /** The `m.space.child` event as a stripped state event with its time. */
  readonly stripped: JsonObject;
}

/** By space, in the order in which they are shown; spaces without children are missing. One read. */
export async function loadSpaceChildren(
  ctx: Pick<RoomsContext, 'db'>,
  spaces: readonly number[],
): Promise<Map<number, readonly SpaceChild[]>> {
  const rows = spaces.length === 0 ? [] : await ctx.db.all(childEventsOf, { rooms: spaces });
  const children = new Map<number, SpaceChild[]>();
  for (const row of rows) {
    const child = spaceChildOf(row.key, pduOf(row));
    if (child === undefined) continue;
    const siblings = children.get(row.room);
    if (siblings === undefined) children.set(row.room, [child]);
    else siblings.push(child);
  }
  for (const siblings of children.values()) siblings.sort(compareChildren);
  return children;
}

/** undefined: the event makes nothing a child, for example because it was taken back. Pure. */
export function spaceChildOf(stateKey: string, pdu: JsonObject): SpaceChild | undefined {
  const { type, sender, origin_server_ts: originServerTs } = pdu;
  const content = pdu['content'] as JsonObject;
  const { via, suggested, order } = content;
  if (!isRoomId(stateKey) || typeof originServerTs !== 'number' || !isVia(via)) return undefined;
  return {
    roomId: stateKey,
    isSuggested: suggested === true,
    order: isOrder(order) ? order : undefined,
    originServerTs,
    via: via.filter((server) => isServerName(server)).slice(0, limits.joinServersMax),
    stripped: { type, state_key: stateKey, sender, content, origin_server_ts: originServerTs },
  };
}

/** Those with an order first; then by time, then by room. Pure. */
export function compareChildren(a: SpaceChild, b: SpaceChild): number {
  if (a.order !== b.order) {
    if (a.order === undefined) return 1;
    if (b.order === undefined) return -1;
    return a.order < b.order ? -1 : 1;
  }
  return a.originServerTs - b.originServerTs || (a.roomId < b.roomId ? -1 : a.roomId > b.roomId ? 1 : 0);
}

function isVia(via: JsonValue | undefined): via is readonly string[] {
  return Array.isArray(via) && via.length > 0 && via.every((server) => typeof server === 'string');
}

/** https://spec.matrix.org/v1.19/client-server-api/#mspacechild: ASCII from space to tilde, at most 50 characters. */
function isOrder(order: JsonValue | undefined): order is string {
  return typeof order === 'string' && /^[\x20-\x7e]{1,50}$/.test(order);
}
