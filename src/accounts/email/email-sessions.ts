/**
 * Confirming that a mailbox is somebody's: a message with a link is sent there, and whoever follows it and confirms has
 * shown it. What was confirmed serves once, for the purpose that it was asked for.
 * https://spec.matrix.org/v1.19/client-server-api/#adding-account-administrative-contact-information
 */
import { timingSafeEqual } from 'node:crypto';
import { invalidParam, MatrixError } from '../../matrix/errors.ts';
import { canonicalEmail, isMailAddress } from '../../matrix/ids/email.ts';
import { isClientSecret } from '../../matrix/ids/opaque-id.ts';
import { KeyedLock } from '../../platform/keyed-lock.ts';
import { limits } from '../../platform/limits.ts';
import { MailError } from '../../platform/mail-error.ts';
import type { Language } from '../../platform/messages/catalogue.ts';
import {
  deleteExpiredEmailSessions,
  type EmailPurpose,
  emailSession,
  emailSessionOf,
  type EmailSessionRow,
  insertEmailSession,
  renewEmailSession,
  validateEmailSession,
} from '../../storage/stores/email-session-store.ts';
import { type Account, findIdentified } from '../account.ts';
import type { AccountsContext } from '../context.ts';
import { hashToken } from '../token-format.ts';
import { confirmationLetter, explainingLetter } from './email-letters.ts';

export interface EmailRequest {
  readonly purpose: EmailPurpose;
  readonly email: string;
  readonly clientSecret: string;
  readonly sendAttempt: number;
  readonly nextLink: string | undefined;
  /** undefined: not known. */
  readonly language: Language | undefined;
}
/** What a client names a confirmed address by. */
export interface EmailCredentials {
  readonly sid: string;
  readonly clientSecret: string;
}
export interface ConfirmedEmail {
  readonly sid: string;
  /** In canonical form. */
  readonly address: string;
  readonly validatedTs: number;
}
/** What a page says before the button is pressed. */
export interface EmailConfirmation {
  readonly purpose: EmailPurpose;
  readonly address: string;
  /** Whose password is to be set. */
  readonly userId: string | undefined;
  /** Where the person wants to go afterwards. */
  readonly nextLink: string | undefined;
}

type Confirming = Pick<AccountsContext, 'db' | 'localServers' | 'config' | 'mailer' | 'attempts' | 'clock' | 'random'>;

/** Below the address of the server: the page that a message links to, and where an app sends a code that was typed in. */
export const confirmEmailPath = '/_matrix/client/unstable/veche/email/confirm';
export const submitEmailTokenPath = '/_matrix/client/unstable/veche/email/submit_token';

export class EmailSessions {
  readonly #ctx: Confirming;
  /** One request at a time for each address. */
  readonly #locks = new KeyedLock<string>();

  constructor(ctx: Confirming) {
    this.#ctx = ctx;
  }

  /** Throws 400 M_THREEPID_MEDIUM_NOT_SUPPORTED where no e-mail can be sent. */
  assertSupported(): void {
    if (!this.#ctx.mailer.isConfigured)
      throw new MatrixError(400, 'M_THREEPID_MEDIUM_NOT_SUPPORTED', 'This server sends no e-mail');
  }

  /**
   * Sends the message, unless this attempt or a later one was seen already. Whether the address is an account's is told by
   * M_THREEPID_IN_USE or M_THREEPID_NOT_FOUND only where the configuration says so, otherwise in the message.
   * Throws 400 M_INVALID_PARAM, 403 M_THREEPID_DENIED, 429 M_LIMIT_EXCEEDED, and MailError when the mail server fails.
   */
  async request(request: EmailRequest): Promise<{ readonly sid: string; readonly submitUrl: string }> {
    this.assertSupported();
    const { clientSecret, nextLink } = request;
    if (!isClientSecret(clientSecret)) throw invalidParam('client_secret has characters that it must not have');
    if (nextLink !== undefined && !isNextLink(nextLink)) throw invalidParam('next_link must be an http or https URL');
    const address = canonicalEmail(request.email);
    if (address === undefined || !isMailAddress(address)) throw invalidParam('email is not an e-mail address');
    if (!this.#ctx.mailer.accepts(address))
      throw new MatrixError(403, 'M_THREEPID_DENIED', 'This address cannot be used on this server');
    const sid = await this.#locks.run(address, () => this.#send(request, address));
    return { sid, submitUrl: this.#ctx.config.publicBaseUrl + submitEmailTokenPath };
  }

  /** undefined: the link is wrong, was replaced by that of a later message, or has expired. */
  async findConfirmation(sid: string, token: string): Promise<EmailConfirmation | undefined> {
    const row = await this.#find(sid);
    if (row === undefined || !isTokenOf(row, token)) return undefined;
    const account = row.purpose === 'reset' ? await this.#ownerOf(row.address) : undefined;
    return {
      purpose: row.purpose as EmailPurpose,
      address: row.address,
      userId: account?.userId,
      nextLink: row.next_link ?? undefined,
    };
  }

  /** Marks the address as confirmed; once more changes nothing. undefined: as for `findConfirmation`. */
  async confirm(sid: string, token: string): Promise<EmailConfirmation | undefined> {
    const confirmation = await this.findConfirmation(sid, token);
    if (confirmation === undefined) return undefined;
    const ts = this.#ctx.clock.nowMs();
    const expiresTs = ts + limits.validatedEmailMs;
    await this.#ctx.db.write((unit) => unit.run(validateEmailSession, { sid, ts, expiresTs })).committed;
    return confirmation;
  }

  /** The same for an app that was told the code. False: something of it is wrong. */
  async submitToken({ sid, clientSecret }: EmailCredentials, token: string): Promise<boolean> {
    const row = await this.#find(sid);
    if (row === undefined || !isSecretOf(row, clientSecret)) return false;
    return (await this.confirm(sid, token)) !== undefined;
  }

  /** undefined: it is not confirmed, or not for this purpose, or too long ago. */
  async findConfirmed(
    { sid, clientSecret }: EmailCredentials,
    purpose: EmailPurpose,
  ): Promise<ConfirmedEmail | undefined> {
    const row = await this.#find(sid);
    if (row === undefined || row.purpose !== purpose || row.validated_ts === null) return undefined;
    if (!isSecretOf(row, clientSecret)) return undefined;
    return { sid, address: row.address, validatedTs: row.validated_ts };
  }

  async #find(sid: string): Promise<EmailSessionRow | undefined> {
    if (!isClientSecret(sid)) return undefined;
    const row = await this.#ctx.db.one(emailSession, { sid });
    return row !== undefined && row.expires_ts > this.#ctx.clock.nowMs() ? row : undefined;
  }

  async #ownerOf(address: string): Promise<Account | undefined> {
    return findIdentified(this.#ctx, { kind: 'threepid', medium: 'email', addresses: [address] });
  }

  async #send(request: EmailRequest, address: string): Promise<string> {
    const { purpose, sendAttempt } = request;
    const { config, random, db, clock } = this.#ctx;
    const owner = await this.#ownerOf(address);
    const isMet = (owner !== undefined) === (purpose === 'reset');
    if (!isMet && !config.email.hideKnownAddresses) throw unmet(purpose);

    const secretHash = hashToken(request.clientSecret);
    const found = await db.one(emailSessionOf, { purpose, address, secretHash });
    const known = found !== undefined && found.expires_ts > clock.nowMs() ? found : undefined;
    if (known !== undefined && (sendAttempt <= known.send_attempt || known.validated_ts !== null)) return known.sid;
    this.#countMail(address);

    const sid = known?.sid ?? random.bytes(18).toString('base64url');
    const token = random.bytes(18).toString('base64url');
    await this.#mail(request, address, { sid, token, owner, isMet });
    const nowMs = clock.nowMs();
    const session = {
      sid,
      tokenHash: isMet ? hashToken(token) : null,
      sendAttempt,
      nextLink: request.nextLink ?? null,
      expiresTs: nowMs + limits.emailSessionMs,
    };
    await db.write((unit) => {
      unit.run(deleteExpiredEmailSessions, { now: nowMs });
      if (known === undefined) unit.run(insertEmailSession, { ...session, purpose, address, secretHash });
      else unit.run(renewEmailSession, session);
    }).committed;
    return sid;
  }

  async #mail(
    { purpose, language = this.#ctx.mailer.language }: EmailRequest,
    address: string,
    told: {
      readonly sid: string;
      readonly token: string;
      readonly owner: Account | undefined;
      readonly isMet: boolean;
    },
  ): Promise<void> {
    const { serverName, publicBaseUrl } = this.#ctx.config;
    const userId = told.owner?.userId;
    const { sid, token } = told;
    const link = `${publicBaseUrl}${confirmEmailPath}?${new URLSearchParams({ sid, token, lang: language }).toString()}`;
    const letter = told.isMet
      ? confirmationLetter({ purpose, language, serverName, link, code: token, userId })
      : explainingLetter({ purpose, language, serverName, userId });
    try {
      await this.#ctx.mailer.send(address, letter);
    } catch (error) {
      if (!(error instanceof MailError) || error.failure !== 'refused') throw error;
      throw new MatrixError(400, 'M_UNKNOWN', 'The mail server takes no messages to this address');
    }
  }

  #countMail(address: string): void {
    const retryAfterMs = this.#ctx.attempts?.take('mailbox', 'account', address) ?? 0;
    if (retryAfterMs > 0)
      throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many e-mails to this address', {
        retry_after_ms: Math.ceil(retryAfterMs),
      });
  }
}

function unmet(purpose: EmailPurpose): MatrixError {
  return purpose === 'reset'
    ? new MatrixError(400, 'M_THREEPID_NOT_FOUND', 'No account has this address')
    : new MatrixError(400, 'M_THREEPID_IN_USE', 'The address belongs to an account already');
}

/** Anything else than a page of the web could run in ours. */
function isNextLink(text: string): boolean {
  const url = Buffer.byteLength(text) > limits.nextLinkBytesMax ? null : URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '';
}

const isTokenOf = ({ token_hash: expected }: EmailSessionRow, token: string): boolean =>
  expected !== null && timingSafeEqual(expected, hashToken(token));
const isSecretOf = ({ secret_hash: expected }: EmailSessionRow, secret: string): boolean =>
  timingSafeEqual(expected, hashToken(secret));
