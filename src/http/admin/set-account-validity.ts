/** POST /_synapse/admin/v1/account_validity/validity — https://element-hq.github.io/synapse/latest/admin_api/account_validity.html */
import type { Accounts } from '../../accounts/index.ts';
import { userId } from '../client/rooms/identifiers.ts';
import { boolean, integer, object, optional, withDefault } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export const setAccountValidity = defineEndpoint({
  operationId: 'setAccountValidity',
  method: 'POST',
  path: '/_synapse/admin/v1/account_validity/validity',
  auth: 'adminAccessToken',
  rateLimit: 'account',
  params: {},
  query: {},
  body: object({
    user_id: userId(),
    expiration_ts: optional(integer({ min: 0 })),
    enable_renewal_emails: withDefault(boolean(), true),
  }),
  async handle({ body }, { accounts }: { accounts: Pick<Accounts, 'validity'> }) {
    const { user_id: user, expiration_ts: expiresTs, enable_renewal_emails: isReminded } = body;
    return { json: { expiration_ts: await accounts.validity.set(user, expiresTs, isReminded) } };
  },
});
