/**
 * The deprecated first synchronisation: a first /sync, told in the older form.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3initialsync
 */
import type { Requester } from '../accounts/requester.ts';
import { parseSyncFilter } from '../matrix/filters/sync-filter.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { plainEvents } from '../rooms/client-events.ts';
import { directoryVisibility } from '../rooms/directory/public-rooms.ts';
import { formatRoomsToken } from '../rooms/pagination-token.ts';
import { stateRow } from '../rooms/read-state.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import { withoutIgnored } from './ignored-senders.ts';
import type { SyncContext, SyncPass, SyncRequest } from './sync-request.ts';
import type { RoomStanding, SyncUser } from './sync-user.ts';
import { tryPass } from './try-pass.ts';

export interface InitialSyncRequest {
  readonly requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>;
  /** Newest events of each room. */
  readonly limit: number;
  /** Rooms that were left, too. */
  readonly archived: boolean;
}

/** `end` is a token for the stream of events and for /sync. */
export async function readInitialSync(
  ctx: SyncContext,
  { requester, limit, archived }: InitialSyncRequest,
  user: SyncUser,
): Promise<JsonObject> {
  const whole: SyncRequest = {
    requester,
    since: undefined,
    fullState: true,
    stateField: 'state_after',
    setPresence: 'online',
    filter: parseSyncFilter({ room: { timeline: { limit }, include_leave: archived } }),
    timeoutMs: 0,
    signal: new AbortController().signal,
  };
  const request = withoutIgnored(await ctx.rooms.ignored.of(requester), whole);
  const { pass, result } = await tryPass(ctx, request, user, -1);
  const answer = { ...(JSON.parse(result.text) as Answer), next_batch: formatRoomsToken(pass.now) };
  const rooms: JsonObject[] = [];
  for (const { standing } of pass.rooms) {
    const room = await roomInfo(pass, standing, answer);
    if (room !== undefined) rooms.push(room);
  }
  return {
    end: answer.next_batch,
    rooms,
    presence: answer.presence?.events ?? [],
    account_data: answer.account_data?.events ?? [],
  };
}

interface Events {
  readonly events: readonly JsonObject[];
}
interface AnsweredRoom {
  readonly timeline: Events & { readonly prev_batch: string };
  readonly state_after: Events;
  readonly account_data: Events;
}
interface Answer {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: Readonly<Record<string, AnsweredRoom>>;
    readonly invite?: Readonly<Record<string, unknown>>;
    readonly leave?: Readonly<Record<string, AnsweredRoom>>;
  };
  readonly presence?: Events;
  readonly account_data?: Events;
}

/** undefined: a room that is not told of, such as one that the user knocks on, which this form has no word for. */
async function roomInfo(
  pass: SyncPass,
  { room, membership }: RoomStanding,
  { rooms, next_batch: end }: Answer,
): Promise<JsonObject | undefined> {
  const { roomId } = await pass.ctx.rooms.dags.openByNid(room);
  const visibility = await directoryVisibility(pass.ctx.rooms, roomId);
  const about = { room_id: roomId, membership, visibility };
  if (rooms?.invite?.[roomId] !== undefined) return { ...about, invite: await ownMembership(pass, room) };
  const answered = rooms?.join?.[roomId] ?? rooms?.leave?.[roomId];
  if (answered === undefined) return undefined;
  const inRoom = (event: JsonObject): JsonObject => ({ ...event, room_id: roomId });
  const { timeline, state_after: state, account_data: accountData } = answered;
  return {
    ...about,
    messages: { start: timeline.prev_batch, end, chunk: timeline.events.map(inRoom) },
    state: state.events.map(inRoom),
    account_data: accountData.events,
  };
}

async function ownMembership({ ctx, request, now }: SyncPass, room: number): Promise<JsonObject> {
  const { rooms } = ctx;
  const { userId, userNid, deviceNid } = request.requester;
  const row = await stateRow(rooms, await rooms.dags.openByNid(room), now, 'm.room.member', userId);
  const timeline = await loadVisibility(rooms, room, userId);
  const [event] = row === undefined ? [] : await plainEvents(rooms, [row], { userNid, deviceNid, timeline });
  return event ?? {};
}
