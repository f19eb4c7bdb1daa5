/**
 * Simplified sliding sync.
 * https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
 */
import type { Timers } from '../../platform/ports.ts';
import { Deadline } from '../deadline.ts';
import { EventForgotten } from '../event-fragments.ts';
import type { SyncContext } from '../sync-request.ts';
import type { SyncUser, UserChange } from '../sync-user.ts';
import { BumpStamps } from './bump-stamps.ts';
import type { Connection } from './connection.ts';
import { Connections } from './connections.ts';
import { acknowledgeMessages } from './device-news.ts';
import { answerText } from './encode-answer.ts';
import { noExtensionNews } from './extensions.ts';
import { KnownRoomFacts } from './room-facts.ts';
import { type SlidingAnswer, runSlidingPass } from './sliding-answer.ts';
import { type SlidingContext, type SlidingPass, beginSlidingPass } from './sliding-pass.ts';
import type { SlidingRequest } from './sliding-request.ts';
import { UserRooms } from './user-rooms.ts';

export class SlidingSync {
  readonly #ctx: SlidingContext;
  readonly #timers: Timers;
  readonly #loading = new Map<SyncUser, Promise<UserRooms>>();

  constructor(sync: SyncContext, timers: Timers, onFailed: (error: unknown) => void) {
    const { db, clock } = sync.rooms;
    this.#timers = timers;
    this.#ctx = {
      sync,
      facts: new KnownRoomFacts(sync.rooms),
      bumpStamps: new BumpStamps(db),
      connections: new Connections(db, clock, timers, onFailed),
    };
    this.#ctx.facts.onChanged = (room, what) => {
      for (const { follower } of sync.users.membersOf(room))
        if (follower instanceof UserRooms) follower.factsChanged(room, what);
    };
  }

  /** To be called for every commit, in order, when the users know of it. */
  onCommit(commit: Parameters<KnownRoomFacts['onCommit']>[0]): void {
    this.#ctx.facts.onCommit(commit);
    this.#ctx.bumpStamps.onCommit(commit);
  }

  /** What connections were told is on disk when it resolves. */
  close(): Promise<void> {
    return this.#ctx.connections.close();
  }

  /** JSON text of the answer. The user is held meanwhile. Errors: M_UNKNOWN_POS. */
  async answer(request: SlidingRequest, user: SyncUser): Promise<string> {
    const { connections } = this.#ctx;
    const { deviceNid } = request.requester;
    const connection =
      request.pos === undefined
        ? connections.begin(deviceNid, request.connId)
        : await connections.resume(deviceNid, request.connId, request.pos);
    const userRooms = await this.#roomsOf(user, request);
    await acknowledgeMessages({ ctx: this.#ctx, request });
    const deadline = Deadline.after(this.#timers, connection.streamPos < 0 ? 0 : request.timeoutMs, request.signal);
    // Of two requests of one connection the client has given up the earlier one.
    connection.supersede?.();
    const supersede = (connection.supersede = () => deadline.cutShort());
    try {
      return await this.#wait(request, connection, userRooms, deadline);
    } finally {
      deadline.end();
      if (connection.supersede === supersede) connection.supersede = undefined;
    }
  }

  async #wait(
    request: SlidingRequest,
    connection: Connection,
    userRooms: UserRooms,
    deadline: Deadline,
  ): Promise<string> {
    const { user } = userRooms;
    const { sessionsVersion } = user;
    const { serial } = connection;
    const isConcerned = concerns(request);
    for (;;) {
      // Whoever has changed since is told at once; what changes while this pass runs is found by the next one.
      const changed = deadline.nextChange({ onceChanged: (run) => user.onceChanged(run, isConcerned) });
      const { pass, answer } = await this.#try(request, connection, userRooms);
      // A later request has moved the connection on: nobody reads this answer.
      if (connection.serial !== serial) return this.#nothing(request, connection, pass);
      const isOver = deadline.isOver || user.sessionsVersion !== sessionsVersion;
      if (!answer.isEmpty || pass.since < 0 || isOver) return this.#told(request, connection, pass, answer);
      if (!answer.isUnchanged) this.#ctx.connections.advance(connection, answer.draft);
      await changed;
    }
  }

  #told(request: SlidingRequest, connection: Connection, pass: SlidingPass, answer: SlidingAnswer): string {
    if (answer.isUnchanged && pass.since >= 0) return this.#nothing(request, connection, pass);
    const pos = this.#ctx.connections.answered(connection, answer.draft);
    return answerText(pos, request.shape, request.extensions, pass.lists, answer);
  }

  /** The client's position stays as it is. */
  #nothing({ shape, extensions }: SlidingRequest, connection: Connection, pass: SlidingPass): string {
    const pos = this.#ctx.connections.tokenOf(connection);
    return answerText(pos, shape, extensions, pass.lists, nothingTold);
  }

  /** A purge may take events away between the reading of their numbers and of their bodies; the next pass does not see them. */
  async #try(
    request: SlidingRequest,
    connection: Connection,
    userRooms: UserRooms,
  ): Promise<{ readonly pass: SlidingPass; readonly answer: SlidingAnswer }> {
    for (let triesLeft = purgesMax; ; triesLeft--) {
      const { pass, candidates } = await beginSlidingPass(this.#ctx, request, connection, userRooms);
      try {
        return { pass, answer: await runSlidingPass(pass, candidates) };
      } catch (error) {
        if (!(error instanceof EventForgotten) || triesLeft === 0) throw error;
      }
    }
  }

  #roomsOf(user: SyncUser, { requester }: SlidingRequest): Promise<UserRooms> {
    const loading = this.#loading.get(user);
    if (loading !== undefined) return loading;
    if (user.follower instanceof UserRooms) return Promise.resolve(user.follower);
    const { sync, facts } = this.#ctx;
    const loaded = UserRooms.load(sync.rooms, facts, user, requester.userId).catch((error: unknown) => {
      user.follower = undefined;
      throw error;
    });
    this.#loading.set(user, loaded);
    return loaded.finally(() => this.#loading.delete(user));
  }
}

const nothingTold = { rooms: [], extensions: noExtensionNews(), device: { texts: [], isEmpty: true } };

/** Rooms that are purged one right after another, during one pass each. */
const purgesMax = 10;

/** Nobody is woken for what they did not ask for. */
function concerns({ extensions, requester }: SlidingRequest): (change: UserChange) => boolean {
  return ({ kind, deviceNid }) => {
    switch (kind) {
      case 'presence':
        return false;
      case 'typingPos':
        return extensions.typing !== undefined;
      case 'threads':
        return extensions.threads !== undefined;
      case 'toDevice':
        return extensions.toDevice !== undefined && deviceNid === requester.deviceNid;
      case 'keyClaimed':
        return extensions.e2ee === true && deviceNid === requester.deviceNid;
      default:
        return true;
    }
  };
}
