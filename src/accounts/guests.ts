/** Accounts without a name or password, and how they become a user's. https://spec.matrix.org/v1.19/client-server-api/#guest-access */
import { forbidden, guestAccessForbidden, MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { newUserId } from '../matrix/ids/user-id.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { deviceOfUser } from '../storage/stores/device-store.ts';
import { upgradeGuest } from '../storage/stores/guest-store.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { AccountsContext, ClientAddress } from './context.ts';
import { createAccount } from './create-account.ts';
import type { Requester } from './requester.ts';
import { draftSession, type NewSession, type SessionRequest } from './sessions.ts';

export interface GuestRequest {
  readonly initialDeviceDisplayName: string | undefined;
  readonly client: ClientAddress;
}

/** `POST /register?kind=guest`. Throws 403 M_GUEST_ACCESS_FORBIDDEN where guests are not allowed. */
export async function registerGuest(ctx: AccountsContext, request: GuestRequest): Promise<NewSession> {
  if (!ctx.config.registration.allowGuests) throw guestAccessForbidden('There are no guests on this server');
  const account = {
    userId: randomUserId(ctx),
    kind: 'guest',
    password: undefined,
    isAdmin: false,
    displayName: undefined,
  } as const;
  const { session } = await createAccount(ctx, account, { ...request, deviceId: undefined, canRefresh: false });
  if (session === undefined) throw new Error('a session was asked for');
  return session;
}

/**
 * Whose account a registration is to make a user's, by `guest_access_token`; a token that stands for somebody else is for
 * `assertUpgrades` to refuse. Throws 403 M_FORBIDDEN when it stands for nobody.
 */
export async function findGuest(
  ctx: { readonly accessTokens: Pick<AccessTokens, 'authenticate'> },
  { guestAccessToken, session }: { readonly guestAccessToken: string | undefined; readonly session: SessionRequest },
): Promise<Requester | undefined> {
  if (guestAccessToken === undefined) return undefined;
  try {
    return await ctx.accessTokens.authenticate(guestAccessToken, { allowLocked: false, client: session.client });
  } catch (error) {
    // 401 would mean that stages of the registration are missing.
    throw error instanceof MatrixError ? notOfGuest() : error;
  }
}

/** Throws 403 M_FORBIDDEN when it is no guest, or another one than the wanted name says. */
export function assertUpgrades(guest: Requester, wanted: UserId | undefined): void {
  if (!guest.isGuest) throw notOfGuest();
  if (guest.userId !== wanted) throw forbidden('username must be the local part of the guest, who keeps it');
}

const notOfGuest = (): MatrixError => forbidden('guest_access_token is not the access token of a guest');

/**
 * The guest's devices stay logged in, as a user's from now on. `also`: what must be true together with it. Throws UnitFailed
 * when the account is no guest's any more.
 */
export function becomeUser(
  ctx: AccountsContext,
  { userNid: user, userId }: Pick<Requester, 'userNid' | 'userId'>,
  password: string,
  session: SessionRequest | undefined,
  also: (unit: UnitBuilder, userNid: number) => void,
): Promise<NewSession | undefined> {
  return ctx.locks.run(user, async () => {
    const passwordHash = await ctx.passwords.hash(password);
    const deviceId = session?.deviceId;
    const known = deviceId === undefined ? undefined : await ctx.db.one(deviceOfUser, { user, deviceId });
    const draft = session && draftSession(ctx, { userNid: user, userId }, session, known);
    await ctx.db.write((unit) => {
      unit.run(upgradeGuest, { user, passwordHash }, { changes: 1 });
      draft?.write(unit);
      also(unit, user);
      unit.wake({ kind: 'access', userNid: user });
    }).committed;
    return draft?.session;
  });
}

/** For people without a wish. Twelve letters and digits are unlikely enough to be taken that a collision is an error. */
export function randomUserId(ctx: Pick<AccountsContext, 'random' | 'localServers'>): UserId {
  const localpart = Array.from({ length: 12 }, () => ctx.random.int(36).toString(36)).join('');
  const userId = newUserId(localpart, ctx.localServers.main);
  if (userId === undefined) throw new Error('the server name leaves no room for localparts');
  return userId;
}
