/**
 * Who is typing: kept in memory, forgotten at a restart. Every change has a position of the stream, so that sync finds it
 * like everything else. https://spec.matrix.org/v1.19/client-server-api/#typing-notifications
 */
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import type { TimerHandle, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    typing: { room: number; pos: number };
  }
}

interface RoomTyping {
  readonly users: Map<UserId, TimerHandle>;
  pos: number;
}

export class Typing {
  readonly #db: Database;
  readonly #timers: Timers;
  readonly #rooms = new Map<number, RoomTyping>();
  readonly #unfollow: () => void;
  /** Who typed before this process began is not known. */
  readonly #startPos: number;

  constructor(db: Database, timers: Timers) {
    this.#db = db;
    this.#timers = timers;
    this.#startPos = db.committedPos();
    this.#unfollow = db.onCommitted(({ wakes }) => {
      for (const wake of wakes)
        if (wake.kind === 'membership' && wake.membership !== 'join') this.#stop(wake.room, wake.userId);
    });
  }

  /** `timeoutMs` undefined: the user has stopped. */
  set(room: number, userId: UserId, timeoutMs: number | undefined): void {
    const typing = this.#rooms.get(room) ?? { users: new Map<UserId, TimerHandle>(), pos: 0 };
    const running = typing.users.get(userId);
    running?.cancel();
    if (timeoutMs === undefined) typing.users.delete(userId);
    else
      typing.users.set(
        userId,
        this.#timers.after(Math.min(timeoutMs, limits.typingMsMax), () => this.set(room, userId, undefined)),
      );
    this.#rooms.set(room, typing);
    // Who goes on typing is no news to anybody.
    if ((running !== undefined) === (timeoutMs !== undefined)) return;
    this.#db.write((unit) => {
      typing.pos = unit.nextPos();
      unit.wake({ kind: 'typing', room, pos: typing.pos });
    });
  }

  /** Who types now, if that changed after the position. */
  changedAfter(room: number, pos: number): readonly UserId[] | undefined {
    const typing = this.#rooms.get(room);
    return typing === undefined || typing.pos <= pos ? undefined : [...typing.users.keys()];
  }

  /** false: somebody may have been told of typing that ended with an earlier process. */
  isCompleteAfter(pos: number): boolean {
    return pos >= this.#startPos;
  }

  /** Who types now. */
  current(room: number): readonly UserId[] {
    return [...(this.#rooms.get(room)?.users.keys() ?? [])];
  }

  /** Whoever leaves a room types there no longer. */
  #stop(room: number, userId: UserId): void {
    if (this.#rooms.get(room)?.users.has(userId) === true) this.set(room, userId, undefined);
  }

  close(): void {
    this.#unfollow();
    for (const { users } of this.#rooms.values()) for (const timer of users.values()) timer.cancel();
    this.#rooms.clear();
  }
}
