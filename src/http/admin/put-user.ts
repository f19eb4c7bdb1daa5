/** PUT /_synapse/admin/v2/users/{userId} — https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#create-or-modify-account */
import type { AccountChange } from '../../accounts/administration.ts';
import type { Accounts } from '../../accounts/index.ts';
import { invalidParam } from '../../matrix/errors.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { userId } from '../client/rooms/identifiers.ts';
import {
  arrayOf,
  boolean,
  type Decoded,
  type Decoder,
  json,
  jsonObject,
  object,
  oneOf,
  optional,
  string,
} from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { userReply } from './user-reply.ts';

const fields = object({
  password: optional(string()),
  logout_devices: optional(boolean()),
  displayname: optional(string({ maxBytes: limits.displayNameBytesMax })),
  avatar_url: optional(string({ maxBytes: limits.avatarUrlBytesMax })),
  threepids: optional(arrayOf(object({ medium: string(), address: string() }), { max: 100 })),
  external_ids: optional(arrayOf(json())),
  admin: optional(boolean()),
  deactivated: optional(boolean()),
  locked: optional(boolean()),
  user_type: optional(oneOf('bot', 'support')),
});

/** null takes a name, an avatar or a type away; elsewhere it counts as absent. */
const accountChange: Decoder<AccountChange> = {
  isOptional: false,
  decode(value, at) {
    const body = jsonObject().decode(value, at);
    return changeOf(fields.decode(body, at), body);
  },
};

function changeOf(read: Decoded<typeof fields>, body: JsonObject): AccountChange {
  if ((read.external_ids ?? []).length > 0) throw invalidParam('external_ids: there are no identity providers here');
  return {
    password: read.password,
    logoutDevices: read.logout_devices,
    displayName: body['displayname'] === null ? null : read.displayname,
    avatarUrl: body['avatar_url'] === null ? null : read.avatar_url,
    userType: body['user_type'] === null ? null : read.user_type,
    threepids: read.threepids,
    isAdmin: read.admin,
    isDeactivated: read.deactivated,
    isLocked: read.locked,
  };
}

export const putUser = defineEndpoint({
  operationId: 'putUser',
  method: 'PUT',
  path: '/_synapse/admin/v2/users/{userId}',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { userId: userId() },
  query: {},
  body: accountChange,
  async handle({ params, body, requester }, { accounts }: { accounts: Pick<Accounts, 'putAccount' | 'readAccount'> }) {
    const { isNew } = await accounts.putAccount(requester, params.userId, body);
    return { status: isNew ? 201 : 200, json: userReply(await accounts.readAccount(params.userId)) };
  },
});
