/** Which caller a request is counted for, and who is not counted. https://spec.matrix.org/v1.19/client-server-api/#rate-limiting */
import type { Requester } from '../accounts/requester.ts';
import { MatrixError } from '../matrix/errors.ts';
import { callerOfAddress } from '../platform/caller-of-address.ts';
import type { RateLimitClass } from './endpoint.ts';
import { limitExceeded } from './errors.ts';
import type { RateLimiter } from './rate-limiter.ts';

interface Counted {
  readonly address: string;
}

/** Counts a call for its user or, where nobody is logged in, for its address. Throws 429 M_LIMIT_EXCEEDED. */
export function countCall(
  rateClass: RateLimitClass,
  requester: Requester | undefined,
  { address }: Counted,
  limiter: RateLimiter | undefined,
): void {
  if (rateClass === 'none' || limiter === undefined || isExempt(requester)) return;
  const retryAfterMs =
    requester === undefined
      ? limiter.take(rateClass, 'address', callerOfAddress(address))
      : limiter.take(rateClass, 'user', requester.userId);
  if (retryAfterMs > 0) throw limitExceeded(retryAfterMs);
}

/**
 * Counts a token that nobody has for the address that it came from: throws 429 M_LIMIT_EXCEEDED where there were too many,
 * otherwise returns. Tokens that are known pass all the same. One that has expired is no guess, and its client has to learn that it must refresh.
 */
export function countUnknownToken(error: unknown, { address }: Counted, limiter: RateLimiter | undefined): void {
  if (!(error instanceof MatrixError) || error.errcode !== 'M_UNKNOWN_TOKEN') return;
  if (error.extra['soft_logout'] === true) return;
  const retryAfterMs = limiter?.take('unknownTokens', 'address', callerOfAddress(address)) ?? 0;
  if (retryAfterMs > 0) throw limitExceeded(retryAfterMs);
}

/** The one place that says whom no limit holds: administrators. */
const isExempt = (requester: Requester | undefined): boolean => requester?.isAdmin === true;
