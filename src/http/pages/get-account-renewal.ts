import { renewalPath } from '../../accounts/validity/account-validity.ts';
import { optional, string, withDefault } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { languageOf } from './load-view.ts';
import { type RenewalDomain, renewalPage } from './renewal-page.ts';

/** GET /_matrix/client/unstable/account_validity/renew: asks whether the account is to be renewed. */
export const getAccountRenewal = defineEndpoint({
  operationId: 'getAccountRenewal',
  method: 'GET',
  path: renewalPath,
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: { token: withDefault(string(), ''), lang: optional(string()) },
  async handle(request, { accounts, emailPage }: RenewalDomain) {
    const { token, lang } = request.query;
    const language = languageOf(lang, request.header('accept-language'));
    return renewalPage(language, emailPage.serverName, await accounts.validity.findRenewal(token), token);
  },
});
