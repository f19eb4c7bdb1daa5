import { renewalPath } from '../../accounts/validity/account-validity.ts';
import { object, optional, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { languageOf } from './load-view.ts';
import { type RenewalDomain, renewalPage } from './renewal-page.ts';

/** POST /_matrix/client/unstable/account_validity/renew: the button of that page. */
export const postAccountRenewal = defineEndpoint({
  operationId: 'postAccountRenewal',
  method: 'POST',
  path: renewalPath,
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  bodyFormat: 'form',
  bodyBytesMax: 16_384,
  body: object({ token: string(), lang: optional(string()) }),
  async handle(request, { accounts, emailPage }: RenewalDomain) {
    const { token, lang } = request.body;
    const language = languageOf(lang, request.header('accept-language'));
    return renewalPage(language, emailPage.serverName, await accounts.validity.renew(token), undefined);
  },
});
