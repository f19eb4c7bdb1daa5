import type { UserId } from '../ids/ids.ts';
import { isUserId } from '../ids/user-id.ts';

/**
 * Whose state a state key that starts with `@` is: the user id before the first `_` behind the first colon. undefined: it does
 * not begin with a user id. https://github.com/matrix-org/matrix-spec-proposals/pull/3757 (MSC3757)
 */
export function ownerOfState(stateKey: string): UserId | undefined {
  const colon = stateKey.indexOf(':');
  if (colon < 0) return undefined;
  const end = stateKey.indexOf('_', colon);
  const owner = end < 0 ? stateKey : stateKey.slice(0, end);
  return isUserId(owner) ? owner : undefined;
}
