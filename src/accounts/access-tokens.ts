/**
 * Who an access token stands for. Known tokens are remembered, so that a request costs a hash and a look-up in memory;
 * what changes their worth is told by 'access' wakes at the moment of its commit. Of unknown ones we remember for a few
 * seconds that they are unknown. https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import { type Commit, UnexpectedChanges, UnitFailed } from '../storage/database.ts';
import {
  accessToken,
  type AccessTokenRow,
  deleteOtherAccessTokensOfDevice,
  markAccessTokenUsed,
} from '../storage/stores/access-token-store.ts';
import { deleteRefreshToken } from '../storage/stores/refresh-token-store.ts';
import { accountExpired, userLocked } from './account.ts';
import type { AccountsContext, ClientAddress } from './context.ts';
import type { DeviceActivity } from './device-activity.ts';
import type { Requester } from './requester.ts';
import { isPlausibleToken, tokenKey, tokenLengthMax } from './token-format.ts';

interface Session {
  readonly requester: Requester;
  readonly expiresTs: number | undefined;
  readonly isLocked: boolean;
  /** When the account expires; undefined: never. */
  readonly accountExpiresTs: number | undefined;
  /** The refresh token that the first use of this access token revokes; undefined when it has been used. */
  revokes: Buffer | undefined;
  revoking: Promise<void> | undefined;
}

export class AccessTokens {
  readonly #ctx: Pick<AccountsContext, 'db' | 'clock' | 'locks'>;
  readonly #activity: DeviceActivity;
  readonly #sessions = new Lru<string, Session>({
    sizeMax: limits.knownTokensMax,
    onEvicted: (key, { requester }) => this.#unlist(requester.userNid, key),
  });
  readonly #keysOfUser = new Map<number, Set<string>>();
  /** Until when it need not be asked for again, on the monotonic clock. */
  readonly #unknown = new Lru<string, number>({ sizeMax: limits.unknownTokensMax });
  /** Counts what was forgotten: what was read before may be out of date. */
  #epoch = 0;
  readonly #stopListening: () => void;

  constructor(ctx: Pick<AccountsContext, 'db' | 'clock' | 'locks'>, activity: DeviceActivity) {
    this.#ctx = ctx;
    this.#activity = activity;
    this.#stopListening = ctx.db.onCommitted((commit) => this.#follow(commit));
  }

  /**
   * Throws 401 M_UNKNOWN_TOKEN, with soft_logout for one that has expired, and 401 M_USER_LOCKED unless `allowLocked`.
   * The first use of a refreshed token is on disk when this resolves.
   */
  async authenticate(
    token: string,
    options: { readonly allowLocked: boolean; readonly allowExpired?: boolean; readonly client: ClientAddress },
  ): Promise<Requester> {
    if (token.length > tokenLengthMax) throw unknownToken(false);
    const key = tokenKey(token);
    const session = this.#sessions.find(key) ?? (await this.#load(token, key));
    if (session.expiresTs !== undefined && session.expiresTs <= this.#ctx.clock.nowMs()) throw unknownToken(true);
    if (session.isLocked && !options.allowLocked) throw userLocked();
    if (options.allowExpired !== true && this.#isAccountExpired(session)) throw accountExpired();
    if (session.revokes !== undefined) await this.#firstUse(session, session.revokes);
    this.#activity.seen(session.requester.deviceNid, options.client);
    return session.requester;
  }

  /** Whether nothing has changed since `authenticate` gave this requester. */
  isCurrent(requester: Requester): boolean {
    const session = this.#sessions.find(keyOf(requester));
    if (session?.requester !== requester || session.isLocked || this.#isAccountExpired(session)) return false;
    return session.expiresTs === undefined || session.expiresTs > this.#ctx.clock.nowMs();
  }

  #isAccountExpired({ accountExpiresTs }: Session): boolean {
    return accountExpiresTs !== undefined && accountExpiresTs <= this.#ctx.clock.nowMs();
  }

  close(): void {
    this.#stopListening();
  }

  async #load(token: string, key: string): Promise<Session> {
    if (!isPlausibleToken(token)) throw unknownToken(false);
    const nowMs = this.#ctx.clock.monotonicMs();
    if ((this.#unknown.find(key) ?? 0) > nowMs) throw unknownToken(false);
    const epoch = this.#epoch;
    const hash = Buffer.from(key, 'latin1');
    const row = await this.#ctx.db.one(accessToken, { hash });
    if (row === undefined || row.deactivated_ts !== null) {
      this.#unknown.set(key, nowMs + limits.unknownTokenMs);
      throw unknownToken(false);
    }
    const session = sessionOf(row, hash);
    // The same token may have been loaded twice at the same time; both are the same.
    if (epoch === this.#epoch) this.#remember(key, session);
    return session;
  }

  #remember(key: string, session: Session): void {
    const { userNid } = session.requester;
    const keys = this.#keysOfUser.get(userNid) ?? new Set();
    this.#keysOfUser.set(userNid, keys.add(key));
    this.#sessions.set(key, session);
  }

  #follow(commit: Commit): void {
    for (const wake of commit.wakes) {
      if (wake.kind === 'access') this.#forget(wake.userNid);
      else if (wake.kind === 'session') {
        const { requester, expiresTs, accountExpiresTs } = wake;
        const known = { isLocked: false, revokes: undefined, revoking: undefined };
        this.#remember(keyOf(requester), { requester, expiresTs, accountExpiresTs, ...known });
      }
    }
  }

  #forget(userNid: number): void {
    this.#epoch += 1;
    for (const key of this.#keysOfUser.get(userNid) ?? []) this.#sessions.delete(key);
    this.#keysOfUser.delete(userNid);
  }

  #unlist(userNid: number, key: string): void {
    const keys = this.#keysOfUser.get(userNid);
    if (keys?.delete(key) === true && keys.size === 0) this.#keysOfUser.delete(userNid);
  }

  /** https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens */
  async #firstUse(session: Session, refreshHash: Buffer): Promise<void> {
    session.revoking ??= this.#revoke(session.requester, refreshHash).finally(() => (session.revoking = undefined));
    await session.revoking;
    session.revokes = undefined;
  }

  async #revoke(requester: Requester, refreshHash: Buffer): Promise<void> {
    const { tokenHash: hash, deviceNid: device, userNid } = requester;
    await this.#ctx.locks.run(userNid, async () => {
      const revoked = this.#ctx.db.write((unit) => {
        unit.run(markAccessTokenUsed, { hash }, { changes: 1 });
        unit.run(deleteRefreshToken, { hash: refreshHash });
        unit.run(deleteOtherAccessTokensOfDevice, { device, hash });
        unit.wake({ kind: 'access', userNid });
      });
      try {
        await revoked.committed;
      } catch (error) {
        // The client refreshed once more with the old refresh token, which took this access token back.
        const isGone = error instanceof UnitFailed && error.cause instanceof UnexpectedChanges;
        throw isGone ? unknownToken(true) : error;
      }
    });
  }
}

const keyOf = ({ tokenHash }: Requester): string => tokenHash.toString('latin1');

export function unknownToken(softLogout: boolean): MatrixError {
  const message = softLogout ? 'The access token has expired' : 'Unknown access token';
  return new MatrixError(401, 'M_UNKNOWN_TOKEN', message, { soft_logout: softLogout });
}

function sessionOf(row: AccessTokenRow, tokenHash: Buffer): Session {
  return {
    requester: {
      userId: row.user_id as UserId,
      userNid: row.user_nid,
      deviceId: row.device_id,
      deviceNid: row.device_nid,
      isAdmin: row.admin === 1,
      isGuest: row.kind === 'guest',
      isSuspended: row.suspended === 1,
      tokenHash,
    },
    expiresTs: row.expires_ts ?? undefined,
    isLocked: row.locked === 1,
    // Administrators do not expire: nobody could let them in again.
    accountExpiresTs: row.admin === 1 ? undefined : (row.account_expires_ts ?? undefined),
    revokes: row.refresh_hash ?? undefined,
    revoking: undefined,
  };
}
