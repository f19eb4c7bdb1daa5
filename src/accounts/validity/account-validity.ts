/**
 * Accounts that expire unless their owners renew them: before that a message with a link is sent to their addresses. With
 * the meaning that Synapse gives it, but that opening the link asks and a button renews.
 */
import { forbidden, invalidParam, MatrixError, notFound } from '../../matrix/errors.ts';
import type { UserId } from '../../matrix/ids/ids.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import {
  noteReminder,
  setValidity,
  useValidityToken,
  validitiesToRemind,
  validityOfToken,
} from '../../storage/stores/account-validity-store.ts';
import { threepidsOfUser } from '../../storage/stores/threepid-store.ts';
import { findAccount, findAccountByNid } from '../account.ts';
import type { AccountsContext } from '../context.ts';
import { isUnexpectedChange } from '../sessions.ts';
import { hashToken } from '../token-format.ts';
import { renewalLetter } from './renewal-letter.ts';

type Validating = Pick<
  AccountsContext,
  'db' | 'localServers' | 'config' | 'mailer' | 'clock' | 'timers' | 'random' | 'attempts'
>;

/** Below the address of the server: the page that a message links to. */
export const renewalPath = '/_matrix/client/unstable/account_validity/renew';

export class AccountValidity {
  readonly #ctx: Validating;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(ctx: Validating) {
    this.#ctx = ctx;
  }

  /**
   * Sends reminders from now on. Does nothing where accounts do not expire or no e-mail can be sent. `onFailed` is told what
   * went wrong; it is tried again.
   */
  start(onFailed: (error: unknown) => void): void {
    if (this.#periodMs === undefined || !this.#ctx.mailer.isConfigured || this.#isClosed) return;
    this.#timer = this.#ctx.timers.after(betweenReminders, () => {
      void this.remind(onFailed)
        .catch(onFailed)
        .finally(() => this.start(onFailed));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** When an account that is made now expires; undefined: never. */
  get newExpiryTs(): number | undefined {
    const periodMs = this.#periodMs;
    return periodMs === undefined ? undefined : this.#ctx.clock.nowMs() + periodMs;
  }

  /** Tells the owners of accounts that expire soon. One mailbox that takes no message keeps nobody else from theirs. */
  async remind(onFailed: (error: unknown) => void): Promise<void> {
    const { db, clock, config } = this.#ctx;
    const before = clock.nowMs() + config.accountValidity.remindDays * dayMs;
    for (const row of await db.all(validitiesToRemind, { before, limit: remindersAtOnce }))
      await this.#send(row.user_nid, row.expires_ts).catch(onFailed);
  }

  /** Sends the message now. Throws 400 M_UNKNOWN where accounts do not expire or the account has no address, 429. */
  async sendMail({ userNid, userId }: { readonly userNid: number; readonly userId: UserId }): Promise<void> {
    const expiresTs = this.newExpiryTs;
    if (expiresTs === undefined || !this.#ctx.mailer.isConfigured)
      throw new MatrixError(400, 'M_UNKNOWN', 'Accounts are not renewed by e-mail on this server');
    const retryAfterMs = this.#ctx.attempts?.take('mailbox', 'account', userId) ?? 0;
    if (retryAfterMs > 0)
      throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many e-mails', { retry_after_ms: Math.ceil(retryAfterMs) });
    const isSent = await this.#send(userNid, expiresTs);
    if (!isSent) throw new MatrixError(400, 'M_UNKNOWN', 'The account has no e-mail address');
  }

  /** Whose account a link renews; undefined: it is wrong, used, or was replaced by a newer one. */
  async findRenewal(token: string): Promise<UserId | undefined> {
    const row = await this.#ctx.db.one(validityOfToken, { tokenHash: hashToken(token) });
    return row && (await findAccountByNid(this.#ctx, row.user_nid))?.userId;
  }

  /** undefined: as for `findRenewal`. */
  async renew(token: string): Promise<UserId | undefined> {
    const tokenHash = hashToken(token);
    const expiresTs = this.newExpiryTs;
    const row = await this.#ctx.db.one(validityOfToken, { tokenHash });
    const account = row && (await findAccountByNid(this.#ctx, row.user_nid));
    if (account === undefined || expiresTs === undefined) return undefined;
    const renewed = this.#ctx.db.write((unit) => {
      unit.run(useValidityToken, { tokenHash, expiresTs }, { changes: 1 });
      unit.wake({ kind: 'access', userNid: account.userNid });
    });
    try {
      await renewed.committed;
    } catch (error) {
      if (isUnexpectedChange(error)) return undefined;
      throw error;
    }
    return account.userId;
  }

  /**
   * An administrator says until when; undefined: for another period. Throws 400 M_INVALID_PARAM where no period is
   * configured and none is given, 404 M_NOT_FOUND, 403 M_FORBIDDEN for administrators, who do not expire.
   */
  async set(userId: UserId, expiresTs: number | undefined, isReminded: boolean): Promise<number> {
    const until = expiresTs ?? this.newExpiryTs;
    if (until === undefined) throw invalidParam('expiration_ts is needed, because no period is configured');
    const account = await findAccount(this.#ctx, userId);
    if (account === undefined || account.isDeactivated) throw notFound('User not found');
    if (account.isAdmin) throw forbidden('Administrators do not expire');
    const { userNid: user } = account;
    await this.#ctx.db.write((unit) => {
      unit.run(setValidity, { user, expiresTs: until, reminded: isReminded ? 0 : 1 });
      unit.wake({ kind: 'access', userNid: user });
    }).committed;
    return until;
  }

  get #periodMs(): number | undefined {
    const { periodDays } = this.#ctx.config.accountValidity;
    return periodDays === undefined ? undefined : periodDays * dayMs;
  }

  /** Another hour's turn repeats what failed: nobody waits for this. */
  /** To all addresses of the account. False: it has none. Who has none is not asked again. */
  async #send(user: number, expiresTs: number): Promise<boolean> {
    const { db, random, config, mailer } = this.#ctx;
    const account = await findAccountByNid(this.#ctx, user);
    const addresses = (await db.all(threepidsOfUser, { user })).filter(({ medium }) => medium === 'email');
    const token = random.bytes(18).toString('base64url');
    const language = mailer.language;
    const link = `${config.publicBaseUrl}${renewalPath}?${new URLSearchParams({ token, lang: language }).toString()}`;
    const { serverName } = config;
    const letter = renewalLetter({ language, serverName, link, userId: account?.userId ?? '', expiresTs });
    for (const { address } of addresses) await mailer.send(address, letter);
    await db.write((unit) => unit.run(noteReminder, { user, tokenHash: hashToken(token) })).committed;
    return addresses.length > 0;
  }
}

const dayMs = 86_400_000;
const betweenReminders = 3_600_000;
const remindersAtOnce = 200;
