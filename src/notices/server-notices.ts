/**
 * Messages of the server to single users, each in a room of its own that only the server writes to.
 * https://spec.matrix.org/v1.19/client-server-api/#server-notices
 */
import type { Accounts } from '../accounts/index.ts';
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId, UserId } from '../matrix/ids/ids.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Actor, ClientTransaction } from '../rooms/context.ts';
import type { Rooms } from '../rooms/index.ts';
import type { Database } from '../storage/database.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import { insertNoticeRoom, noticeRoom } from '../storage/stores/notice-room-store.ts';
import { roomById } from '../storage/stores/room-graph-store.ts';

export interface Notice {
  readonly userId: UserId;
  readonly type: string;
  /** undefined: not a state event. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  /** A repeated one is sent once. */
  readonly transaction: ClientTransaction | undefined;
}

interface Parts {
  readonly db: Database;
  readonly localServers: LocalServers;
  readonly accounts: Pick<Accounts, 'noticesUserId' | 'ensureServerUser' | 'findAccount' | 'setTag'>;
  readonly rooms: Pick<Rooms, 'createRoom' | 'roomVersion' | 'inviteUser' | 'sendMessage' | 'sendState'>;
  readonly config: Pick<Config, 'serverNotices'>;
}

export class ServerNotices {
  readonly #parts: Parts;
  /** One notice at a time for each user, so that nobody gets two rooms. */
  readonly #locks = new KeyedLock<number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Sends a notice, making the room or inviting again as is needed. Throws 400 M_UNKNOWN for a user of another server and for
   * the one that sends notices, 404 M_NOT_FOUND for nobody and for deactivated accounts, and what sending the event throws.
   */
  async send(notice: Notice): Promise<EventId> {
    const { localServers, accounts, rooms } = this.#parts;
    const { userId, type, stateKey, content } = notice;
    if (!localServers.isLocal(serverNameOf(userId)) || userId === accounts.noticesUserId)
      throw new MatrixError(400, 'M_UNKNOWN', 'Server notices can only be sent to users of this server');
    const account = await accounts.findAccount(userId);
    if (account === undefined || account.isDeactivated) throw notFound('User not found');
    return this.#locks.run(account.userNid, async () => {
      const sender = await this.#sender();
      const roomId = await this.#reachableRoom(sender, account);
      if (stateKey !== undefined) return rooms.sendState(sender, { roomId, type, stateKey, content });
      const { transaction } = notice;
      return rooms.sendMessage(sender, {
        roomId,
        type,
        content,
        ...(transaction === undefined ? {} : { transaction }),
      });
    });
  }

  async #sender(): Promise<Actor> {
    const { accounts, config } = this.#parts;
    const { displayName, avatarUrl } = config.serverNotices;
    const userNid = await accounts.ensureServerUser({ displayName, avatarUrl });
    return { userId: accounts.noticesUserId, userNid, deviceNid: 0 };
  }

  /** The user's room, in which they are or into which they are invited. */
  async #reachableRoom(sender: Actor, user: { readonly userId: UserId; readonly userNid: number }): Promise<RoomId> {
    const { db, accounts, rooms } = this.#parts;
    const known = await db.one(noticeRoom, { user: user.userNid });
    const roomId = (known?.room_id as RoomId | undefined) ?? (await this.#makeRoom(sender, user.userNid));
    const room = (await db.one(roomById, { roomId }))?.room;
    const standing = room === undefined ? undefined : await db.one(userRoom, { user: user.userNid, room });
    if (standing?.membership === 'join' || standing?.membership === 'invite') return roomId;
    await accounts.setTag({ ...user, roomId }, 'm.server_notice', {});
    await rooms.inviteUser(sender, { roomId, target: user.userId });
    return roomId;
  }

  /** Not encrypted: the server could not write to it. Nobody but the server may write, and the user may leave. */
  async #makeRoom(sender: Actor, user: number): Promise<RoomId> {
    const { db, rooms, config } = this.#parts;
    const rules = rooms.roomVersion(undefined);
    const request = {
      visibility: 'private',
      preset: 'private_chat',
      roomVersion: rules.version,
      name: config.serverNotices.roomName,
      topic: undefined,
      alias: undefined,
      invite: [],
      isDirect: false,
      creationContent: {},
      initialState: [],
      encryption: 'asRequested',
      powerLevelContentOverride: { users_default: -10 },
    } as const;
    const roomId = await rooms.createRoom(sender, request, rules);
    await db.write((unit) => unit.run(insertNoticeRoom, { user, roomId })).committed;
    return roomId;
  }
}
