/** The body of a registration with a shared secret, as Synapse's admin API has it. */
import type { SignedRegistrationRequest } from '../../accounts/signed-registration.ts';
import { limits } from '../../platform/limits.ts';
import { boolean, type Decoded, object, optional, string, withDefault } from '../decode.ts';
import type { ClientInfo } from '../endpoint.ts';

export const signedRegistrationBody = object({
  nonce: string(),
  username: string(),
  password: string(),
  mac: string(),
  admin: withDefault(boolean(), false),
  user_type: optional(string()),
  displayname: optional(string({ maxBytes: limits.displayNameBytesMax })),
  inhibit_login: withDefault(boolean(), false),
});

export function signedRegistration(
  body: Decoded<typeof signedRegistrationBody>,
  client: ClientInfo,
): SignedRegistrationRequest {
  return {
    nonce: body.nonce,
    username: body.username,
    password: body.password,
    mac: body.mac,
    isAdmin: body.admin,
    userType: body.user_type,
    displayName: body.displayname,
    inhibitLogin: body.inhibit_login,
    session: { deviceId: undefined, initialDeviceDisplayName: undefined, canRefresh: false, client },
  };
}
