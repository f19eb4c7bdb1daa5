import { notFound } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import { insertReport } from '../storage/stores/report-store.ts';
import { findAccount } from './account.ts';
import type { AccountsContext } from './context.ts';

/**
 * Tells this server's administrators of a user, whether or not the reporter shares a room with them. Throws M_NOT_FOUND for
 * who is not known here: profiles tell that to everybody already.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport
 */
export async function reportUser(
  ctx: Pick<AccountsContext, 'db' | 'names' | 'localServers' | 'clock'>,
  { userNid: user }: { readonly userNid: number },
  targetUser: UserId,
  reason: string,
): Promise<void> {
  if (!(await isKnown(ctx, targetUser))) throw notFound('The user was not found');
  const report = { report: ctx.db.nextId(), user, room: null, eventId: null, targetUser, reason, score: null };
  await ctx.db.write((unit) => unit.run(insertReport, { ...report, ts: ctx.clock.nowMs() })).committed;
}

async function isKnown(ctx: Pick<AccountsContext, 'db' | 'names' | 'localServers'>, userId: UserId): Promise<boolean> {
  if (ctx.localServers.isLocal(serverNameOf(userId))) return (await findAccount(ctx, userId)) !== undefined;
  return (await ctx.names.findUserNid(userId)) !== undefined;
}
