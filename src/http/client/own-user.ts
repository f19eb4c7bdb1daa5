import type { Requester } from '../../accounts/requester.ts';
import { forbidden } from '../../matrix/errors.ts';

/** Paths that name a user whose private data they are about: throws 403 M_FORBIDDEN unless it is the requester. */
export function assertOwn(requester: Requester, userId: string): void {
  if (requester.userId !== userId) throw forbidden('This belongs to another user');
}
