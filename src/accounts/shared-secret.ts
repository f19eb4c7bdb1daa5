/**
 * Registration by programs that know a secret, in the form of Synapse's admin API: a nonce, and an HMAC-SHA1 of the request
 * with the secret as key. https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { forbidden, invalidParam, MatrixError } from '../matrix/errors.ts';
import type { SigningKey } from '../matrix/crypto/ed25519.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Clock, Random } from '../platform/ports.ts';

export interface SignedRegistration {
  readonly nonce: string;
  /** As it was sent, capitals included. */
  readonly username: string;
  readonly password: string;
  readonly isAdmin: boolean;
  readonly userType: string | undefined;
  /** Hexadecimal. */
  readonly mac: string;
}

export class SharedSecret {
  readonly #secret: () => string | undefined;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #random: Pick<Random, 'bytes'>;
  /** Until when each is good. */
  readonly #nonces = new Lru<string, number>({ sizeMax: limits.noncesMax });

  /** `secret` gives the one that counts now; undefined: nobody can register this way. */
  constructor(secret: () => string | undefined, clock: Pick<Clock, 'monotonicMs'>, random: Pick<Random, 'bytes'>) {
    this.#secret = secret;
    this.#clock = clock;
    this.#random = random;
  }

  /** For one registration within the next minute. Throws 400 M_UNKNOWN when there is no shared secret. */
  issueNonce(): string {
    this.#getSecret();
    const nonce = this.#random.bytes(32).toString('hex');
    this.#nonces.set(nonce, this.#clock.monotonicMs() + limits.nonceMs);
    return nonce;
  }

  /** Throws 400 for an unknown or used nonce, 403 for a wrong MAC. A nonce is used up either way. */
  verify(request: SignedRegistration): void {
    const secret = this.#getSecret();
    this.#useUp(request.nonce);
    if (`${request.username}${request.password}`.includes('\0'))
      throw invalidParam('username and password must not contain NUL');
    assertMac(request.mac, registrationMac(secret, request));
  }

  /** The same for something else than a registration. */
  verifyOrder(request: SignedOrder): void {
    const secret = this.#getSecret();
    this.#useUp(request.nonce);
    assertMac(request.mac, orderMac(secret, request));
  }

  #useUp(nonce: string): void {
    const expiresMs = this.#nonces.find(nonce);
    this.#nonces.delete(nonce);
    if (expiresMs === undefined || expiresMs <= this.#clock.monotonicMs())
      throw new MatrixError(400, 'M_UNKNOWN', 'unrecognised nonce');
  }

  #getSecret(): string {
    const secret = this.#secret();
    if (secret === undefined) throw new MatrixError(400, 'M_UNKNOWN', 'Shared secret registration is not enabled');
    return secret;
  }
}

function assertMac(mac: string, expectedMac: string): void {
  const [expected, given] = [Buffer.from(expectedMac, 'hex'), Buffer.from(mac, 'hex')];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw forbidden('HMAC incorrect');
}

/** What the command line wants of a running server. */
export interface SignedOrder {
  readonly nonce: string;
  /** What is to be done; no user is called so. */
  readonly order: `/${string}`;
  readonly subjects: readonly string[];
  /** Hexadecimal. */
  readonly mac: string;
}

/** In hexadecimal. The JSON keeps the parts apart whatever they hold. */
export function orderMac(secret: string, { nonce, order, subjects }: Omit<SignedOrder, 'mac'>): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([nonce, order, ...subjects]))
    .digest('hex');
}

/** In hexadecimal. */
export function registrationMac(secret: string, request: Omit<SignedRegistration, 'mac'>): string {
  const { nonce, username, password, isAdmin, userType } = request;
  const parts = [nonce, username, password, isAdmin ? 'admin' : 'notadmin'];
  if (userType !== undefined) parts.push(userType);
  return createHmac('sha1', secret).update(parts.join('\0')).digest('hex');
}

/**
 * The secret by which the command line, run by somebody who can read the signing key, talks to the running server. It is
 * derived, so nothing has to be stored; the text that is signed is no JSON, so it can never be a signature of something else.
 */
export function operatorSecret(signingKey: Pick<SigningKey, 'sign'>): string {
  return createHmac('sha256', signingKey.sign(Buffer.from('veche: operator secret, version 1'))).digest('hex');
}
