import { MatrixError } from '../matrix/errors.ts';
import type { Requester } from './requester.ts';

/**
 * Throws 403 M_USER_SUSPENDED when the account is suspended. For what a suspended person may not do: send, join, knock,
 * invite, change the profile, redact others' events.
 * https://spec.matrix.org/v1.19/client-server-api/#account-suspension
 */
export function assertNotSuspended(requester: Pick<Requester, 'isSuspended'>): void {
  if (requester.isSuspended)
    throw new MatrixError(403, 'M_USER_SUSPENDED', 'You cannot perform this action while suspended');
}
