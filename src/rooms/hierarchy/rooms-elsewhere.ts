/** Rooms of a space that only other servers can tell of: whom to ask, how often, and what the visitor may see of the answers. */
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { standingsIn } from '../../storage/stores/foreign-membership-store.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { RemoteRoomPreview, RemoteSpace } from '../ports.ts';
import { joinedOf } from './room-previews.ts';
import type { SpaceChild } from './space-children.ts';

export interface WantedRoom {
  readonly roomId: RoomId;
  /** Servers that may know it, the likeliest first. */
  readonly servers: readonly ServerName[];
  /** As the server that told of the space describes it; undefined: it did not. */
  readonly told: RemoteRoomPreview | undefined;
}
/** A room that the visitor may be told of. */
export interface RoomElsewhere {
  readonly preview: RemoteRoomPreview;
  readonly membership: string | undefined;
  readonly children: readonly SpaceChild[];
  /** undefined: nobody told more than the preview. */
  readonly space: RemoteSpace | undefined;
}

/** For one request of one user. */
export class RoomsElsewhere {
  readonly #ctx: RoomsContext;
  readonly #visitor: Pick<Actor, 'userNid'>;
  readonly #isContinued: boolean;
  readonly #askedUntilMs: number;
  #questionsLeft = limits.hierarchyQuestionsMax;
  /** Rooms of which nobody could be asked any more this time. */
  readonly unasked = new Set<RoomId>();

  /** `isContinued`: a server that told nothing of a room lately is not asked again, so that pages come to an end. */
  constructor(ctx: RoomsContext, visitor: Pick<Actor, 'userNid'>, { isContinued }: { readonly isContinued: boolean }) {
    this.#ctx = ctx;
    this.#visitor = visitor;
    this.#isContinued = isContinued;
    this.#askedUntilMs = ctx.clock.nowMs() + limits.hierarchyAskingMsMax;
  }

  /** Those of the rooms that other servers tell of and the visitor may see. */
  async look(wanted: readonly WantedRoom[]): Promise<Map<RoomId, RoomElsewhere>> {
    const found: { readonly preview: RemoteRoomPreview; readonly space: RemoteSpace | undefined }[] = [];
    const waiting = [...wanted];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const space = next.told !== undefined && next.told.room_type !== 'm.space' ? undefined : await this.#ask(next);
        const preview = space?.room ?? next.told;
        if (preview !== undefined) found.push({ preview, space });
      }
    };
    await Promise.all(Array.from({ length: Math.min(wanted.length, limits.hierarchyQuestionsAtOnceMax) }, worker));
    return this.#accessible(found);
  }

  async #ask({ roomId, servers }: WantedRoom): Promise<RemoteSpace | undefined> {
    const { remoteSpaces, clock } = this.#ctx;
    for (const server of servers.slice(0, limits.remoteSpaceServersMax)) {
      const known = remoteSpaces.recall(server, roomId);
      if (known === 'nothing' && this.#isContinued) continue;
      if (known !== undefined && known !== 'nothing') return known;
      if (this.#questionsLeft <= 0 || clock.nowMs() >= this.#askedUntilMs) {
        this.unasked.add(roomId);
        return undefined;
      }
      this.#questionsLeft--;
      const answer = await remoteSpaces.ask(server, roomId);
      if (answer !== 'nothing') return answer;
    }
    return undefined;
  }

  async #accessible(
    found: readonly { readonly preview: RemoteRoomPreview; readonly space: RemoteSpace | undefined }[],
  ): Promise<Map<RoomId, RoomElsewhere>> {
    if (found.length === 0) return new Map();
    const roomIds = found.map(({ preview }) => preview.room_id);
    const standings = await this.#ctx.db.all(standingsIn, { user: this.#visitor.userNid, roomIds });
    const memberships = new Map(standings.map(({ room_id: roomId, membership }) => [roomId, membership]));
    const conditions = new Set(found.flatMap(({ preview }) => preview.allowed_room_ids ?? []));
    const joined = await joinedOf(this.#ctx, this.#visitor, conditions);
    const rooms = new Map<RoomId, RoomElsewhere>();
    for (const { preview, space } of found) {
      const membership = memberships.get(preview.room_id);
      if (isAccessible(preview, membership, joined))
        rooms.set(preview.room_id, { preview, membership, children: space?.children ?? [], space });
    }
    return rooms;
  }
}

/** The other server says what any of our users may see; which of them may, is for this one to say. */
function isAccessible(
  { world_readable: isReadable, join_rule: joinRule, allowed_room_ids: allowed }: RemoteRoomPreview,
  membership: string | undefined,
  joined: ReadonlySet<string>,
): boolean {
  if (isReadable || membership === 'join' || membership === 'invite') return true;
  if (membership === 'ban') return false;
  if (joinRule === 'public' || joinRule === 'knock' || joinRule === 'knock_restricted') return true;
  return joinRule === 'restricted' && allowed?.some((roomId) => joined.has(roomId)) === true;
}
