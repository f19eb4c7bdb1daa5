import type { JsonValue } from '../matrix/json/json-value.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import { insertAccount } from '../storage/stores/account-store.ts';
import { localpartOf } from '../matrix/ids/user-id.ts';
import { findAccount } from './account.ts';
import type { AccountsContext } from './context.ts';
import { writeProfile } from './profiles.ts';
import { noticesUserIdOf } from './username.ts';

/**
 * The number of the user that writes the server's notices. It is made at its first need, nobody can log in to it, and its
 * profile is what the configuration says.
 */
export async function ensureServerUser(
  ctx: AccountsContext,
  profile: { readonly displayName: string; readonly avatarUrl: string | undefined },
): Promise<number> {
  const userId = noticesUserIdOf(ctx);
  const userNid = await ctx.names.userNid(userId);
  if ((await findAccount(ctx, userId)) === undefined) await insertServerUser(ctx, userNid, localpartOf(userId));
  const fields: Readonly<Record<string, JsonValue | undefined>> = {
    displayname: profile.displayName,
    avatar_url: profile.avatarUrl,
  };
  await writeProfile(ctx, { userNid, userId }, fields);
  return userNid;
}

async function insertServerUser(ctx: AccountsContext, user: number, localpart: string): Promise<void> {
  const account = { user, localpart, kind: 'user', userType: 'bot', passwordHash: null, admin: 0 };
  try {
    await ctx.db.write((unit) => unit.run(insertAccount, { ...account, createdTs: ctx.clock.nowMs() })).committed;
  } catch (error) {
    // Two notices at once, and the other one was faster.
    if (!(error instanceof UnitFailed && error.cause instanceof UniqueViolation)) throw error;
  }
}
