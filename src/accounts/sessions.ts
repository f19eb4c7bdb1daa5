/** Sessions: a device with an access token, and a refresh token if the client can use one. */
import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import { type UnitBuilder, UnexpectedChanges, UnitFailed } from '../storage/database.ts';
import {
  deleteAccessTokensOfDevices,
  deleteUnusedAccessTokens,
  insertAccessToken,
} from '../storage/stores/access-token-store.ts';
import { type DeviceRow, deviceOfUser, insertDevice, setDeviceSeen } from '../storage/stores/device-store.ts';
import {
  deleteRefreshToken,
  deleteRefreshTokenBefore,
  deleteRefreshTokensOfDevices,
  insertRefreshToken,
  refreshToken,
  setRefreshTokenSuccessor,
} from '../storage/stores/refresh-token-store.ts';
import { unknownToken } from './access-tokens.ts';
import { userLocked } from './account.ts';
import type { AccountsContext, ClientAddress } from './context.ts';
import { hashToken, isPlausibleToken, mintToken } from './token-format.ts';

export interface SessionRequest {
  /** undefined: a new device with a random id. */
  readonly deviceId: string | undefined;
  /** Of a new device; the name of a known one stays. */
  readonly initialDeviceDisplayName: string | undefined;
  /** The client can refresh, so its access tokens may expire. */
  readonly canRefresh: boolean;
  readonly client: ClientAddress;
}

export interface NewSession {
  readonly userId: UserId;
  readonly deviceId: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** undefined: it does not expire. */
  readonly expiresInMs: number | undefined;
}

type Writing = Pick<AccountsContext, 'db' | 'locks' | 'clock' | 'random'>;
interface Owner {
  readonly userNid: number;
  readonly userId: UserId;
}

/**
 * Logs in. A device that exists is used again and loses its earlier tokens. `also`: what must be true together with it.
 * https://spec.matrix.org/v1.19/client-server-api/#relationship-between-access-tokens-and-devices
 */
export function beginSession(
  ctx: Writing,
  owner: Owner,
  request: SessionRequest,
  also?: (unit: UnitBuilder) => void,
): Promise<NewSession> {
  return ctx.locks.run(owner.userNid, async () => {
    const { deviceId } = request;
    const known =
      deviceId === undefined ? undefined : await ctx.db.one(deviceOfUser, { user: owner.userNid, deviceId });
    const draft = draftSession(ctx, owner, request, known);
    await ctx.db.write((unit) => {
      draft.write(unit);
      also?.(unit);
    }).committed;
    return draft.session;
  });
}

export interface SessionDraft {
  readonly session: NewSession;
  readonly deviceNid: number;
  /** undefined: it does not expire. */
  readonly expiresTs: number | undefined;
  write(unit: UnitBuilder): void;
}

/** A session that is still to be written, for units that do more than that. `known`: the owner's device of that id. */
export function draftSession(
  ctx: Writing,
  owner: Owner,
  request: SessionRequest,
  known: DeviceRow | undefined,
): SessionDraft {
  const { userNid: user, userId } = owner;
  const nowMs = ctx.clock.nowMs();
  const deviceId = request.deviceId ?? mintDeviceId(ctx);
  const device = known?.device_nid ?? ctx.db.nextId();
  const tokens = mintTokens(ctx, request.canRefresh);
  const { address, userAgent = null } = request.client;
  return {
    session: { userId, deviceId, ...tokens },
    deviceNid: device,
    expiresTs: expiresAt(nowMs, tokens),
    write(unit) {
      if (known === undefined) {
        const displayName = request.initialDeviceDisplayName ?? null;
        unit.run(insertDevice, { device, user, deviceId, displayName, ts: nowMs, ip: address, userAgent });
        unit.wake({ kind: 'device', userNid: user, deviceId, pos: unit.nextPos(), change: 'added' });
      } else {
        unit.run(deleteAccessTokensOfDevices, { devices: [device] });
        unit.run(deleteRefreshTokensOfDevices, { devices: [device] });
        unit.run(setDeviceSeen, { device, ts: nowMs, ip: address, userAgent });
        unit.wake({ kind: 'access', userNid: user });
      }
      writeTokens(unit, { ...tokens, device, user, nowMs, refreshHash: null });
    },
  };
}

/**
 * New tokens for a refresh token. The old one stays valid until one of the new ones is used, so that a client which never
 * got the answer can ask again. Throws 401 M_UNKNOWN_TOKEN or M_USER_LOCKED.
 * https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens
 */
export async function refreshSession(ctx: Writing, token: string): Promise<NewSession> {
  const hash = isPlausibleToken(token) ? hashToken(token) : undefined;
  const found = hash && (await ctx.db.one(refreshToken, { hash }));
  if (hash === undefined || found === undefined) throw unknownToken(false);
  return ctx.locks.run(found.user_nid, async () => {
    const row = await ctx.db.one(refreshToken, { hash });
    if (row === undefined || row.deactivated_ts !== null) throw unknownToken(false);
    if (row.locked === 1) throw userLocked();
    const { device_nid: device, user_nid: user, next_hash: unusedSuccessor } = row;
    const tokens = mintTokens(ctx, true);
    const refreshed = ctx.db.write((unit) => {
      unit.run(deleteUnusedAccessTokens, { device });
      if (unusedSuccessor !== null) unit.run(deleteRefreshToken, { hash: unusedSuccessor });
      unit.run(deleteRefreshTokenBefore, { device, nextHash: hash });
      unit.run(setRefreshTokenSuccessor, { hash, nextHash: hashToken(tokens.refreshToken ?? '') }, { changes: 1 });
      writeTokens(unit, { ...tokens, device, user, nowMs: ctx.clock.nowMs(), refreshHash: hash });
      unit.wake({ kind: 'access', userNid: user });
    });
    await refreshed.committed;
    return { userId: row.user_id as UserId, deviceId: row.device_id, ...tokens };
  });
}

/** Whether a unit failed because a row that it wanted to change was not there any more. */
export function isUnexpectedChange(error: unknown): boolean {
  return error instanceof UnitFailed && error.cause instanceof UnexpectedChanges;
}

/**
 * Waits for a unit with `confirmPasswordHash` or the like in it. Throws 403 M_FORBIDDEN when the password that was proven is
 * no longer the account's.
 */
export async function whilePasswordStands<T>(written: Promise<T>): Promise<T> {
  try {
    return await written;
  } catch (error) {
    throw isUnexpectedChange(error) ? passwordChangedMeanwhile() : error;
  }
}
export const passwordChangedMeanwhile = (): MatrixError => loginFailed('The password was changed meanwhile');

/** 403, for a login that is not to be. */
export const loginFailed = (message: string): MatrixError => new MatrixError(403, 'M_FORBIDDEN', message);

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresInMs: number | undefined;
}

function mintTokens(ctx: Pick<Writing, 'random'>, canRefresh: boolean): Tokens {
  return {
    accessToken: mintToken('access', ctx.random),
    refreshToken: canRefresh ? mintToken('refresh', ctx.random) : undefined,
    expiresInMs: canRefresh ? limits.accessTokenMs : undefined,
  };
}

interface TokensToWrite extends Tokens {
  readonly device: number;
  readonly user: number;
  readonly nowMs: number;
  /** What the first use of the access token revokes. */
  readonly refreshHash: Buffer | null;
}

function writeTokens(unit: UnitBuilder, tokens: TokensToWrite): void {
  const { device, user, nowMs: createdTs, refreshHash, accessToken, refreshToken: refresh } = tokens;
  const expiresTs = expiresAt(createdTs, tokens) ?? null;
  unit.run(insertAccessToken, { hash: hashToken(accessToken), device, user, expiresTs, refreshHash, createdTs });
  if (refresh !== undefined) unit.run(insertRefreshToken, { hash: hashToken(refresh), device, user, createdTs });
}

const expiresAt = (nowMs: number, { expiresInMs }: Tokens): number | undefined =>
  expiresInMs === undefined ? undefined : nowMs + expiresInMs;

/** Ten capital letters, as clients have come to expect. */
function mintDeviceId(ctx: Pick<Writing, 'random'>): string {
  return Array.from({ length: 10 }, () => String.fromCharCode(65 + ctx.random.int(26))).join('');
}
