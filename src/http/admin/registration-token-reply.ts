import type { RegistrationToken } from '../../accounts/registration-tokens.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';

/** A registration token in Synapse's shape. */
export function registrationTokenReply(token: RegistrationToken): JsonObject {
  return {
    token: token.token,
    uses_allowed: token.usesAllowed ?? null,
    pending: token.pending,
    completed: token.completed,
    expiry_time: token.expiryTs ?? null,
  };
}
