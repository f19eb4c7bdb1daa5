/**
 * Tokens by which administrators let people register, with Synapse's meaning of the fields. Who is just registering
 * ("pending") is counted in memory: a restart forgets the sessions of interactive authentication anyway.
 * https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration
 */
import { invalidParam, notFound } from '../matrix/errors.ts';
import { isOpaqueId } from '../matrix/ids/opaque-id.ts';
import { limits } from '../platform/limits.ts';
import { UniqueViolation, UnitFailed } from '../storage/database.ts';
import {
  deleteRegistrationToken,
  insertRegistrationToken,
  registrationToken,
  type RegistrationTokenRow,
  registrationTokens,
  updateRegistrationToken,
} from '../storage/stores/registration-token-store.ts';
import type { AccountsContext } from './context.ts';
import type { TokenReservation } from './interactive-auth.ts';

export interface RegistrationToken {
  readonly token: string;
  /** undefined: any number of times. */
  readonly usesAllowed: number | undefined;
  readonly pending: number;
  readonly completed: number;
  /** Milliseconds since the Unix epoch; undefined: never. */
  readonly expiryTs: number | undefined;
}
export interface NewRegistrationToken {
  /** undefined: random, of `length` characters. */
  readonly token: string | undefined;
  readonly length: number | undefined;
  readonly usesAllowed: number | undefined;
  readonly expiryTs: number | undefined;
}
/** What is absent stays; undefined lifts the restriction. */
export interface RegistrationTokenChange {
  readonly usesAllowed?: number | undefined;
  readonly expiryTs?: number | undefined;
}

export class RegistrationTokens {
  readonly #ctx: Pick<AccountsContext, 'db' | 'clock' | 'random'>;
  /** By token: until when each is held, on the monotonic clock. */
  readonly #reservations = new Map<string, Map<object, number>>();

  constructor(ctx: Pick<AccountsContext, 'db' | 'clock' | 'random'>) {
    this.#ctx = ctx;
  }

  async isValid(token: string): Promise<boolean> {
    const row = await this.#find(token);
    return row !== undefined && this.#isUsable(row);
  }

  /** Holds one use of the token, for as long as a session of interactive authentication lives. undefined: none is left. */
  async reserve(token: string): Promise<TokenReservation | undefined> {
    const row = await this.#find(token);
    if (row === undefined || !this.#isUsable(row)) return undefined;
    const held = {};
    const reservations = this.#reservations.get(token) ?? new Map<object, number>();
    this.#reservations.set(token, reservations);
    reservations.set(held, this.#ctx.clock.monotonicMs() + limits.interactiveSessionMs);
    return {
      token,
      release: () => {
        if (reservations.delete(held) && reservations.size === 0 && this.#reservations.get(token) === reservations)
          this.#reservations.delete(token);
      },
    };
  }

  /** Throws 400 M_INVALID_PARAM for a token that cannot be one or exists, and for a length or time that is out of range. */
  async create({
    token: wanted,
    length = lengthDefault,
    usesAllowed,
    expiryTs,
  }: NewRegistrationToken): Promise<RegistrationToken> {
    if (wanted !== undefined && !isOpaqueId(wanted, lengthMax))
      throw invalidParam(`A token has 1 to ${lengthMax} of the characters A-Z, a-z, 0-9, ".", "_", "~" and "-"`);
    if (length < 1 || length > lengthMax) throw invalidParam(`length must be from 1 to ${lengthMax}`);
    this.#checkExpiry(expiryTs);
    const token = wanted ?? this.#mint(length);
    const params = { token, usesAllowed: usesAllowed ?? null, expiryTs: expiryTs ?? null };
    try {
      await this.#ctx.db.write((unit) => unit.run(insertRegistrationToken, params)).committed;
    } catch (error) {
      const exists = error instanceof UnitFailed && error.cause instanceof UniqueViolation;
      throw exists ? invalidParam(`Token already exists: ${token}`) : error;
    }
    return { token, usesAllowed, pending: 0, completed: 0, expiryTs };
  }

  /** `valid`: only those that can, or cannot, be used now. */
  async list(valid?: boolean): Promise<readonly RegistrationToken[]> {
    const rows = await this.#ctx.db.all(registrationTokens, {});
    const wanted = valid === undefined ? rows : rows.filter((row) => this.#isUsable(row) === valid);
    return wanted.map((row) => this.#tokenFrom(row));
  }

  /** Throws 404 M_NOT_FOUND. */
  async get(token: string): Promise<RegistrationToken> {
    return this.#tokenFrom(await this.#getRow(token));
  }

  /** Throws 404 M_NOT_FOUND, 400 M_INVALID_PARAM for a time that has passed. */
  async update(token: string, change: RegistrationTokenChange): Promise<RegistrationToken> {
    if (Object.hasOwn(change, 'expiryTs')) this.#checkExpiry(change.expiryTs);
    const row = await this.#getRow(token);
    const usesAllowed = Object.hasOwn(change, 'usesAllowed') ? (change.usesAllowed ?? null) : row.uses_allowed;
    const expiryTs = Object.hasOwn(change, 'expiryTs') ? (change.expiryTs ?? null) : row.expiry_ts;
    await this.#ctx.db.write((unit) => unit.run(updateRegistrationToken, { token, usesAllowed, expiryTs })).committed;
    return this.get(token);
  }

  /** Throws 404 M_NOT_FOUND. */
  async remove(token: string): Promise<void> {
    await this.#getRow(token);
    await this.#ctx.db.write((unit) => unit.run(deleteRegistrationToken, { token })).committed;
  }

  async #find(token: string): Promise<RegistrationTokenRow | undefined> {
    return isOpaqueId(token, lengthMax) ? this.#ctx.db.one(registrationToken, { token }) : undefined;
  }

  async #getRow(token: string): Promise<RegistrationTokenRow> {
    const row = await this.#find(token);
    if (row === undefined) throw notFound(`No such registration token: ${token.slice(0, lengthMax)}`);
    return row;
  }

  #isUsable(row: RegistrationTokenRow): boolean {
    if (row.expiry_ts !== null && row.expiry_ts <= this.#ctx.clock.nowMs()) return false;
    return row.uses_allowed === null || row.completed + this.#pendingOf(row.token) < row.uses_allowed;
  }

  #pendingOf(token: string): number {
    const reservations = this.#reservations.get(token);
    if (reservations === undefined) return 0;
    const nowMs = this.#ctx.clock.monotonicMs();
    for (const [held, untilMs] of reservations) if (untilMs <= nowMs) reservations.delete(held);
    return reservations.size;
  }

  #tokenFrom(row: RegistrationTokenRow): RegistrationToken {
    return {
      token: row.token,
      usesAllowed: row.uses_allowed ?? undefined,
      pending: this.#pendingOf(row.token),
      completed: row.completed,
      expiryTs: row.expiry_ts ?? undefined,
    };
  }

  #checkExpiry(expiryTs: number | undefined): void {
    if (expiryTs !== undefined && expiryTs < this.#ctx.clock.nowMs())
      throw invalidParam('expiry_time must not be in the past');
  }

  #mint(length: number): string {
    return Array.from({ length }, () => alphabet[this.#ctx.random.int(alphabet.length)]).join('');
  }
}

const lengthDefault = 16;
const lengthMax = 64;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-';
