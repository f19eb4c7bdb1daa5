import { MatrixError } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';

interface SaidError {
  readonly status: number;
  readonly errcode: string;
  readonly message: string;
  readonly extra?: JsonObject;
}

/**
 * An error of another server as a client of ours is told it: with its code, unless that would say something of the client's own session or
 * account here, of which no other server has a say. Clients log out, and forget their keys, where they are told M_UNKNOWN_TOKEN.
 */
export function passedOnError({ status, errcode, message, extra = {} }: SaidError): MatrixError {
  if (status === 401 || aboutSessions.test(errcode)) return new MatrixError(403, 'M_FORBIDDEN', message);
  if (status > 599) return new MatrixError(502, 'M_UNKNOWN', message);
  return new MatrixError(status, errcode, message, extra);
}

/** With their unstable forms, such as ORG_MATRIX_MSC3823_USER_ACCOUNT_SUSPENDED. */
const aboutSessions =
  /(?:TOKEN|UNAUTHORIZED|USER_LOCKED|USER_DEACTIVATED|SUSPENDED|CONSENT_NOT_GIVEN|RESOURCE_LIMIT_EXCEEDED|PASSWORD)/i;
