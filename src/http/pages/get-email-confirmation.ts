import { confirmEmailPath } from '../../accounts/email/email-sessions.ts';
import { optional, string, withDefault } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { askingPage, type EmailPageDomain, invalidLinkPage } from './email-confirmation-page.ts';
import { languageOf } from './load-view.ts';

/** GET /_matrix/client/unstable/veche/email/confirm: what the link in a message about an e-mail address opens. */
export const getEmailConfirmation = defineEndpoint({
  operationId: 'getEmailConfirmation',
  method: 'GET',
  path: confirmEmailPath,
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: { sid: withDefault(string(), ''), token: withDefault(string(), ''), lang: optional(string()) },
  async handle(request, { accounts, emailPage }: EmailPageDomain) {
    const { query } = request;
    const language = languageOf(query.lang, request.header('accept-language'));
    const about = await accounts.emailSessions.findConfirmation(query.sid, query.token);
    return about === undefined ? invalidLinkPage(language, emailPage) : askingPage(language, emailPage, query, about);
  },
});
