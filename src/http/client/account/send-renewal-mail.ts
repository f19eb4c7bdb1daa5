import type { Accounts } from '../../../accounts/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

/** POST /_matrix/client/unstable/account_validity/send_mail: the message by which an account is renewed, also an expired one. */
export const sendRenewalMail = defineEndpoint({
  operationId: 'sendRenewalMail',
  method: 'POST',
  path: '/_matrix/client/unstable/account_validity/send_mail',
  auth: 'accessToken',
  rateLimit: 'mail',
  allowExpired: true,
  params: {},
  query: {},
  async handle({ requester }, { accounts }: { accounts: Pick<Accounts, 'validity'> }) {
    await accounts.validity.sendMail(requester);
    return { json: {} };
  },
});
