/** A pass that begins anew when a purge comes in between. */
import { EventForgotten } from './event-fragments.ts';
import { isLazy } from './room-state.ts';
import { type PassResult, runPass } from './sync-pass.ts';
import { type SyncContext, type SyncPass, type SyncRequest, beginPass } from './sync-request.ts';
import type { SyncUser } from './sync-user.ts';

/** A purge may take events away between the reading of their numbers and of their bodies; the next pass does not see them. */
export async function tryPass(
  ctx: SyncContext,
  request: SyncRequest,
  user: SyncUser,
  since: number,
): Promise<{ readonly pass: SyncPass; readonly result: PassResult }> {
  for (let triesLeft = purgesMax; ; triesLeft--) {
    const pass = beginPass(ctx, request, user, since);
    if (isLazy(pass)) ctx.lazyMembers.begin(request.requester.deviceNid, since);
    try {
      return { pass, result: await runPass(pass) };
    } catch (error) {
      if (!(error instanceof EventForgotten) || triesLeft === 0) throw error;
    }
  }
}
/** Rooms that are purged one right after another, during one pass each. */
const purgesMax = 10;
