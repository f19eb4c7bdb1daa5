/** Calls of many, carried by LiveKit. https://github.com/matrix-org/matrix-spec-proposals/pull/4195 (MSC4195) */
import { MatrixError, badJson, forbidden, invalidParam, notFound } from '../matrix/errors.ts';
import type { RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import { isJsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Clock } from '../platform/ports.ts';
import type { CallLeaves } from './call-leaves.ts';
import { type LivekitApi, LivekitFailed } from './livekit-api.ts';
import { livekitIdentity, livekitRoom, roomCallSlot } from './livekit-names.ts';
import type { LivekitSettings } from './livekit-settings.ts';
import { isFromLivekit, joinToken } from './livekit-tokens.ts';
import type { Callers, LeaveEvents } from './ports.ts';

export interface LivekitContext {
  readonly settings: LivekitSettings;
  readonly api: LivekitApi;
  readonly leaves: CallLeaves;
  readonly events: LeaveEvents;
  readonly callers: Callers;
  readonly localServers: LocalServers;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly onFailed: (error: unknown) => void;
}

/** One member of one call. */
export interface CallMember {
  readonly userId: UserId;
  readonly roomId: RoomId;
  /** undefined: the room's own call, of clients from before there were slots. */
  readonly slot: { readonly slotId: string; readonly memberId: string } | undefined;
  readonly deviceId: string;
}
export interface LivekitAccess {
  readonly url: string;
  readonly jwt: string;
}
export interface OpenIdProof {
  readonly accessToken: string;
  readonly serverName: ServerName;
}

export class Livekit {
  readonly #ctx: LivekitContext;

  constructor(ctx: LivekitContext) {
    this.#ctx = ctx;
  }

  /** Throws M_INVALID_PARAM when a client means another LiveKit. */
  assertOurs(url: string | undefined): void {
    if (url !== undefined && url.replace(/\/+$/, '') !== this.#ctx.settings.url)
      throw invalidParam('This server has no LiveKit at this URL');
  }

  /** Throws M_NOT_FOUND for the LiveKit of another server, which cannot be asked. */
  assertHere(serverName: ServerName): void {
    if (!this.#ctx.localServers.isLocal(serverName))
      throw notFound('LiveKits of other servers cannot be asked for tokens');
  }

  /** Who proves to be who with an OpenID token. Throws 401 M_UNAUTHORIZED; 502 M_UNKNOWN when another server cannot be asked. */
  async verify({ accessToken, serverName }: OpenIdProof, claimedUserId?: UserId): Promise<UserId> {
    const { callers, localServers } = this.#ctx;
    if (claimedUserId !== undefined && serverNameOf(claimedUserId) !== serverName) throw unauthorized();
    const owner = localServers.isLocal(serverName)
      ? callers.openIdTokenOwner(accessToken)
      : callers.remoteOpenIdTokenOwner(serverName, accessToken);
    const userId = await owner.catch((error: unknown) => {
      throw error instanceof MatrixError && error.status === 401 ? unauthorized() : error;
    });
    const isRight = serverNameOf(userId) === serverName && (claimedUserId === undefined || claimedUserId === userId);
    if (!isRight) throw unauthorized();
    return userId;
  }

  /** Lets a member of the room join its call. Throws M_FORBIDDEN for others, 502 M_UNKNOWN when LiveKit does not answer. */
  async access(member: CallMember): Promise<LivekitAccess> {
    const { settings, api, callers, clock, onFailed } = this.#ctx;
    await callers.assertJoined(member.userId, member.roomId);
    const { room, identity } = namesOf(member);
    await api.createRoom(room).catch((error: unknown) => {
      if (!(error instanceof LivekitFailed)) throw error;
      onFailed(error);
      throw new MatrixError(502, 'M_UNKNOWN', 'LiveKit cannot make a room for the call');
    });
    return { url: settings.url, jwt: await joinToken(settings, room, identity, clock.nowMs()) };
  }

  /**
   * Looks after the delayed event that ends the member's part in the call. Errors: M_FORBIDDEN, M_NOT_FOUND; M_BAD_JSON for one
   * that ends nothing in this room, or whose delay is too short.
   */
  async delegateLeave(member: CallMember, delayId: string): Promise<void> {
    const { callers, events, leaves, localServers } = this.#ctx;
    await callers.assertJoined(member.userId, member.roomId);
    if (!localServers.isLocal(serverNameOf(member.userId)))
      throw notFound('Only the server of the user can look after their delayed events');
    const userNid = await callers.userNid(member.userId);
    const event = await events.get({ userNid }, delayId);
    if (event['room_id'] !== member.roomId) throw badJson('The delayed event is for another room');
    if (event['finalised_ts'] !== undefined) throw notFound('The delayed event does not wait any more');
    if (Number(event['delay_ms']) < limits.delegatedDelayMsMin)
      throw badJson(`The delay must be at least ${limits.delegatedDelayMsMin} ms`);
    const { room, identity } = namesOf(member);
    await leaves.lookAfter({ livekit_room: room, identity, delay_id: delayId, user_nid: userNid });
  }

  /** What LiveKit has to tell. Throws M_FORBIDDEN when it is not LiveKit. https://docs.livekit.io/home/server/webhooks/ */
  async webhook(authorization: string | undefined, body: string): Promise<void> {
    const { settings, clock, leaves } = this.#ctx;
    if (!(await isFromLivekit(settings, authorization, body, clock.nowMs())))
      throw forbidden('This is for LiveKit alone');
    const news = newsIn(body);
    if (news === undefined) return;
    if (news.event === 'participant_joined') await leaves.joined(news.room, news.identity);
    else await leaves.left(news.room, news.identity);
  }
}

function namesOf({ userId, roomId, slot, deviceId }: CallMember): { readonly room: string; readonly identity: string } {
  return slot === undefined
    ? { room: livekitRoom(roomId, roomCallSlot), identity: `${userId}:${deviceId}` }
    : { room: livekitRoom(roomId, slot.slotId), identity: livekitIdentity(userId, deviceId, slot.memberId) };
}

const told: ReadonlySet<string> = new Set(['participant_joined', 'participant_left', 'participant_connection_aborted']);

interface News {
  readonly event: string;
  readonly room: string;
  readonly identity: string;
}
/** undefined: nothing that matters here. */
function newsIn(body: string): News | undefined {
  const json = JSON.parse(body) as JsonValue;
  if (!isJsonObject(json) || typeof json['event'] !== 'string' || !told.has(json['event'])) return undefined;
  const { event, room, participant } = json;
  const name = isJsonObject(room) ? room['name'] : undefined;
  const identity = isJsonObject(participant) ? participant['identity'] : undefined;
  return typeof name === 'string' && typeof identity === 'string' ? { event, room: name, identity } : undefined;
}

const unauthorized = (): MatrixError => new MatrixError(401, 'M_UNAUTHORIZED', 'The request could not be authorised.');
