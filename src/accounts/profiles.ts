/** Profiles. https://spec.matrix.org/v1.19/client-server-api/#profiles */
import { forbidden, guestAccessForbidden, notFound } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { deleteProfileField, setProfileField } from '../storage/stores/profile-store.ts';
import { type Account, findAccount } from './account.ts';
import type { AccountsContext } from './context.ts';
import { loadProfile, memberPart, type MemberProfiles, withoutAbsent } from './member-profiles.ts';
import { checkProfileFieldName, checkProfileSize, memberProfileNames, readProfileValue } from './profile-field.ts';
import type { Requester } from './requester.ts';
import { assertNotSuspended } from './suspension.ts';
import { writeUserWords } from './user-words.ts';

type Reading = Pick<AccountsContext, 'db'>;
type Anywhere = Pick<AccountsContext, 'db' | 'localServers' | 'remoteProfiles'>;
type Writing = Pick<AccountsContext, 'db' | 'locks' | 'profilePropagation'>;

/**
 * All fields, wire names and values; of a user of another server, that one is asked. Throws 404 M_NOT_FOUND for who has no account, and
 * what `RemoteProfiles` throws.
 */
export async function getProfile(ctx: Anywhere, userId: UserId): Promise<JsonObject> {
  return isRemote(ctx, userId) ? ctx.remoteProfiles.load(userId, undefined) : getLocalProfile(ctx, userId);
}

/** The same for users of this server alone. Throws 404 M_NOT_FOUND. */
export async function getLocalProfile(ctx: Reading, userId: UserId): Promise<JsonObject> {
  return loadProfile(ctx.db, (await profileOwner(ctx, userId)).userNid);
}

/** Throws 404 M_NOT_FOUND, and what `RemoteProfiles` throws. */
export async function getProfileField(ctx: Anywhere, userId: UserId, name: string): Promise<JsonValue> {
  const profile = isRemote(ctx, userId)
    ? await ctx.remoteProfiles.load(userId, name)
    : await getLocalProfile(ctx, userId);
  const value = Object.hasOwn(profile, name) ? profile[name] : undefined;
  if (value === undefined) throw notFound('The profile has no such field');
  return value;
}

/** displayname and avatar_url as they stand in a membership event; {} where there is no profile. */
export async function memberProfile(
  ctx: Pick<AccountsContext, 'names'> & { readonly memberProfiles: MemberProfiles },
  userId: UserId,
): Promise<JsonObject> {
  const userNid = await ctx.names.findUserNid(userId);
  return userNid === undefined ? {} : ctx.memberProfiles.of(userNid);
}

/**
 * Sets the field named `name` to what the body has under that name. Only the person and administrators may.
 * Throws 403 M_FORBIDDEN or M_USER_SUSPENDED, 404 M_NOT_FOUND, and what `profile-field.ts` throws.
 */
export async function changeProfileField(
  ctx: Writing,
  requester: Requester,
  target: { readonly userId: UserId; readonly name: string },
  body: JsonObject,
): Promise<void> {
  const account = await changeableProfile(ctx, requester, target);
  await writeProfile(ctx, account, { [target.name]: readProfileValue(target.name, body) });
}

/** A field that is not there is no error. Throws as `changeProfileField` does. */
export async function removeProfileField(
  ctx: Writing,
  requester: Requester,
  target: { readonly userId: UserId; readonly name: string },
): Promise<void> {
  const account = await changeableProfile(ctx, requester, target);
  await writeProfile(ctx, account, { [target.name]: undefined });
}

/** Writes the fields that differ, undefined removes one, and lets the rooms know. Throws 400 M_PROFILE_TOO_LARGE. */
export async function writeProfile(
  ctx: Writing,
  { userNid, userId }: Pick<Account, 'userNid' | 'userId'>,
  changes: Readonly<Record<string, JsonValue | undefined>>,
): Promise<void> {
  const after = await ctx.locks.run(userNid, async () => {
    const before = await loadProfile(ctx.db, userNid);
    const profile = withoutAbsent({ ...before, ...changes });
    checkProfileSize(profile);
    const different = Object.keys(changes).filter(
      (name) => JSON.stringify(before[name]) !== JSON.stringify(profile[name]),
    );
    if (different.length === 0) return undefined;
    await ctx.db.write((unit) => {
      for (const name of different) {
        const value = profile[name];
        if (value === undefined) unit.run(deleteProfileField, { user: userNid, name });
        else unit.run(setProfileField, { user: userNid, name, value: JSON.stringify(value) });
      }
      if (different.includes('displayname')) writeUserWords(unit, { userNid, userId }, profile['displayname']);
      unit.wake({ kind: 'profile', userNid, pos: unit.nextPos(), member: memberPart(profile) });
    }).committed;
    return memberProfileNames.some((name) => different.includes(name)) ? profile : undefined;
  });
  if (after !== undefined) await ctx.profilePropagation.profileChanged(userId, memberPart(after));
}

async function changeableProfile(
  ctx: Reading,
  requester: Requester,
  { userId, name }: { readonly userId: UserId; readonly name: string },
): Promise<Account> {
  const isOwn = requester.userId === userId;
  if (!isOwn && !requester.isAdmin) throw forbidden('You cannot change the profile of other users');
  if (requester.isGuest && name !== 'displayname')
    throw guestAccessForbidden('Guests can only change their display name');
  if (isOwn) assertNotSuspended(requester);
  checkProfileFieldName(name);
  return profileOwner(ctx, userId);
}

const isRemote = ({ localServers }: Anywhere, userId: UserId): boolean => !localServers.isLocal(serverNameOf(userId));

async function profileOwner(ctx: Reading, userId: UserId): Promise<Account> {
  const account = await findAccount(ctx, userId);
  if (account === undefined || account.isErased) throw notFound('Profile not found');
  return account;
}
