/** /sync, version 3. https://spec.matrix.org/v1.19/client-server-api/#syncing */
import type { Timers } from '../platform/ports.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Typing } from '../rooms/typing.ts';
import { EventFragments } from './event-fragments.ts';
import { LazyMembers } from './lazy-members.ts';
import type { SyncPushRules } from './ports.ts';
import { RoomTails } from './room-tails.ts';
import { emptyResponse, runPass } from './sync-pass.ts';
import type { SyncContext, SyncRequest } from './sync-request.ts';
import { type SyncUser, SyncUsers } from './sync-users.ts';

export interface Sync {
  /** JSON text of the response. Waits for news up to `timeoutMs`, unless there are some at once or the sync is an initial one. */
  sync(request: SyncRequest): Promise<string>;
  close(): void;
}

export function createSync(rooms: RoomsContext, typing: Typing, pushRules: SyncPushRules, timers: Timers): Sync {
  const ctx: SyncContext = {
    rooms,
    typing,
    users: new SyncUsers(rooms.db, (run) => timers.soon(run)),
    tails: new RoomTails(rooms.db.committedPos()),
    fragments: new EventFragments(rooms),
    lazyMembers: new LazyMembers(),
    pushRules,
  };
  const unfollow = rooms.db.onCommitted((commit) => {
    ctx.fragments.onCommit(commit);
    ctx.tails.onCommit(commit);
    ctx.users.onCommit(commit);
  });
  return { sync: (request) => answer(ctx, timers, request), close: unfollow };
}

async function answer(ctx: SyncContext, timers: Timers, request: SyncRequest): Promise<string> {
  const { requester, since = -1, timeoutMs, signal } = request;
  if (since < 0) ctx.lazyMembers.forget(requester.deviceNid);
  const user = await ctx.users.get(requester.userNid);
  const deadline = Deadline.after(timers, timeoutMs, signal);
  try {
    for (;;) {
      const now = Math.max(ctx.rooms.db.committedPos(), since);
      // Whoever has changed since is told at once; what changes while this pass runs is found by the next one.
      const changed = deadline.nextChange(user);
      const pass = { ctx, request, user, since, now, nowMs: ctx.rooms.clock.nowMs() };
      const result = await runPass(pass);
      if (!result.isEmpty || since < 0 || deadline.isOver) return result.isEmpty ? emptyResponse(now) : result.text;
      await changed;
    }
  } finally {
    deadline.end();
  }
}

/** How long a request waits: until its time is over, its client has gone, or the server stops. */
class Deadline {
  isOver: boolean;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#expire();
  #cancelTimer: () => void = () => {};
  #wakeUp: () => void = () => {};
  #stopWaiting: () => void = () => {};

  static after(timers: Timers, timeoutMs: number, signal: AbortSignal): Deadline {
    const deadline = new Deadline(timeoutMs <= 0 || signal.aborted, signal);
    if (deadline.isOver) return deadline;
    const timer = timers.after(timeoutMs, () => deadline.#expire());
    deadline.#cancelTimer = () => timer.cancel();
    signal.addEventListener('abort', deadline.#onAbort, { once: true });
    return deadline;
  }
  constructor(isOver: boolean, signal: AbortSignal) {
    this.isOver = isOver;
    this.#signal = signal;
  }

  /** Resolves at the user's next change, or when the time is over. */
  nextChange(user: SyncUser): Promise<void> {
    this.#stopWaiting();
    if (this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
      this.#stopWaiting = user.onceChanged(resolve);
    });
  }

  end(): void {
    this.#cancelTimer();
    this.#stopWaiting();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #expire(): void {
    this.isOver = true;
    this.#wakeUp();
  }
}
