/**
 * Who comes and goes decides whose keys are kept: of users of other servers who share a room with somebody here. The keys of a few who
 * come to an encrypted room are asked for ahead; the others' when somebody wants them.
 */
import { limits } from '../../platform/limits.ts';
import type { Commit } from '../../storage/database.ts';
import { deviceChangesOf, membersElsewhere } from '../../storage/stores/device-change-store.ts';
import { serversNewTo } from '../../storage/stores/device-list-edu-store.ts';
import { devicesOfUser } from '../../storage/stores/device-store.ts';
import { joinedServers } from '../../storage/stores/outgoing-store.ts';
import { serversOfPartialRoom } from '../../storage/stores/partial-room-store.ts';
import { keptAbove, keptMembersOf, sharingWithUs } from '../../storage/stores/remote-device-store.ts';
import { serverJoinedIn } from '../../storage/stores/room-server-store.ts';
import type { RemoteListsContext } from './context.ts';
import { writeForgotten } from './write-kept.ts';

/** What one commit changed. */
interface Moves {
  /** Users of other servers, by room. */
  readonly joined: Map<number, number[]>;
  readonly left: number[];
  /** Our users, and the rooms that they came into; rooms that they left. */
  readonly entered: (readonly [userNid: number, room: number])[];
  readonly quit: number[];
}

export interface Wanting {
  /** Users of other servers who share a room with us. */
  want(userNids: readonly number[]): Promise<void>;
  /** What is kept of them may not be right. */
  doubt(userNids: readonly number[]): Promise<void>;
}

export class FollowedMembers {
  readonly #ctx: RemoteListsContext;
  readonly #wanting: Wanting;
  readonly #queue: Moves[] = [];
  #work: Promise<void> | undefined;
  #isClosed = false;

  constructor(ctx: RemoteListsContext, wanting: Wanting) {
    this.#ctx = ctx;
    this.#wanting = wanting;
  }

  onCommit({ wakes }: Commit): void {
    let moves: Moves | undefined;
    for (const wake of wakes) {
      if (wake.kind !== 'membership' && wake.kind !== 'remote-membership') continue;
      const { userNid, room, membership, previous } = wake;
      const [isIn, wasIn] = [membership === 'join', previous === 'join'];
      if (isIn === wasIn) continue;
      moves ??= { joined: new Map(), left: [], entered: [], quit: [] };
      if (wake.kind === 'membership') {
        if (isIn) moves.entered.push([userNid, room]);
        else moves.quit.push(room);
      } else if (!isIn) moves.left.push(userNid);
      else if (moves.joined.has(room)) moves.joined.get(room)?.push(userNid);
      else moves.joined.set(room, [userNid]);
    }
    if (moves === undefined || this.#isClosed) return;
    this.#queue.push(moves);
    this.#work ??= this.#workOff();
  }

  /** Resolves when everything that was committed so far is followed. */
  async settled(): Promise<void> {
    await this.#work;
  }

  isQuiet(): boolean {
    return this.#work === undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.length = 0;
    await this.#work;
  }

  /** Forgets those who went while nobody followed. To be called once, after the start. */
  async sweep(): Promise<void> {
    const { db, locals } = this.#ctx;
    for (let above = 0; !this.#isClosed;) {
      const users = (await db.all(keptAbove, { above, limit: usersPerRead })).map((row) => row.user_nid);
      if (users.length === 0) return;
      const sharing = new Set(
        (await db.all(sharingWithUs, { users, locals: await locals() })).map((row) => row.user_nid),
      );
      await this.#forget(users.filter((userNid) => !sharing.has(userNid)));
      above = users.at(-1) ?? above;
    }
  }

  async #workOff(): Promise<void> {
    for (let moves = this.#queue.shift(); moves !== undefined; moves = this.#queue.shift()) {
      try {
        await this.#follow(moves);
      } catch (error) {
        this.#ctx.onFailed(error);
      }
    }
    this.#work = undefined;
  }

  async #follow({ joined, left, entered, quit }: Moves): Promise<void> {
    if (left.length > 0) await this.#forgetStrangers(left);
    for (const room of new Set(quit)) await this.#quit(room);
    for (const [room, users] of joined) await this.#wantAhead(room, users);
    for (const [userNid, room] of entered) await this.#entered(userNid, room);
  }

  async #forgetStrangers(userNids: readonly number[]): Promise<void> {
    const { db, kept, locals } = this.#ctx;
    const lists = await kept.of(userNids);
    const users = userNids.filter((userNid) => lists.get(userNid) !== undefined);
    if (users.length === 0) return;
    const rows = await db.all(sharingWithUs, { users, locals: await locals() });
    const sharing = new Set(rows.map((row) => row.user_nid));
    await this.#forget(users.filter((userNid) => !sharing.has(userNid)));
    // Who came back at once may have changed something in between.
    const back = new Set(this.#queue.flatMap((moves) => [...moves.joined.values()].flat()));
    const doubtful = users.filter((userNid) => sharing.has(userNid) && back.has(userNid));
    if (doubtful.length > 0) await this.#wanting.doubt(doubtful);
  }

  async #forget(users: readonly number[]): Promise<void> {
    if (users.length > 0) await this.#ctx.db.write((unit) => writeForgotten(unit, users)).committed;
  }

  /** Of a room that nobody of ours is in any more. */
  async #quit(room: number): Promise<void> {
    const { db, locals } = this.#ctx;
    if ((await db.one(serverJoinedIn, { room, servers: await locals() })) !== undefined) return;
    const rows = await db.all(keptMembersOf, { room });
    for (let i = 0; i < rows.length; i += usersPerRead)
      await this.#forgetStrangers(rows.slice(i, i + usersPerRead).map((row) => row.user_nid));
  }

  async #wantAhead(room: number, users: readonly number[]): Promise<void> {
    if (users.length > limits.deviceListsAheadMax) return;
    const lists = await this.#ctx.kept.of(users);
    const unknown = users.filter((userNid) => lists.get(userNid) === undefined);
    if (unknown.length > 0 && (await this.#ctx.isEncrypted(room))) await this.#wanting.want(unknown);
  }

  async #entered(user: number, room: number): Promise<void> {
    const { db, outgoingDevices } = this.#ctx;
    const locals = await this.#ctx.locals();
    const known = (await db.all(joinedServers, { room })).map((row) => row.server_nid);
    const said = await db.all(serversOfPartialRoom, { room, limit: limits.serversInRoomMax });
    const servers = [...new Set([...known, ...said.map((row) => row.server_nid)])].filter(
      (nid) => !locals.includes(nid),
    );
    if (servers.length === 0) return;
    const unaware: number[] = [];
    for (let i = 0; i < servers.length; i += serversPerRead) {
      const rows = await db.all(serversNewTo, { user, room, servers: servers.slice(i, i + serversPerRead) });
      unaware.push(...rows.map((row) => row.server_nid));
    }
    // Others see nothing of devices without keys, and are told when these get some.
    const hasKeys = unaware.length > 0 && (await db.all(deviceChangesOf, { users: [user] })).length > 0;
    const device = hasKeys ? (await db.all(devicesOfUser, { user })).at(-1) : undefined;
    if (device !== undefined)
      await db.write((unit) => outgoingDevices.introduce(unit, user, device.device_id, unaware)).committed;
    const members = await db.all(membersElsewhere, { room, locals, limit: limits.deviceListsAheadMax + 1 });
    await this.#wantAhead(
      room,
      members.map((row) => row.user_nid),
    );
  }
}

const usersPerRead = 500;
const serversPerRead = 500;
