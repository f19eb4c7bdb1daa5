import type { Requester } from '../../../accounts/requester.ts';
import { forbidden } from '../../../matrix/errors.ts';

/** Throws 403 M_FORBIDDEN, before anything is looked up. For operations whose scheme is an ordinary access token. */
export function assertAdministrator(requester: Requester): void {
  if (!requester.isAdmin) throw forbidden('Requesting user is not a server administrator.');
}
