import { confirmEmailPath } from '../../accounts/email/email-sessions.ts';
import { object, optional, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { confirmedPage, type EmailPageDomain, invalidLinkPage } from './email-confirmation-page.ts';
import { languageOf } from './load-view.ts';

/** POST /_matrix/client/unstable/veche/email/confirm: the button of that page. The token in the form is what allows it; there is no session. */
export const postEmailConfirmation = defineEndpoint({
  operationId: 'postEmailConfirmation',
  method: 'POST',
  path: confirmEmailPath,
  auth: 'none',
  rateLimit: 'login',
  params: {},
  query: {},
  bodyFormat: 'form',
  bodyBytesMax: 16_384,
  body: object({ sid: string(), token: string(), lang: optional(string()) }),
  async handle(request, { accounts, emailPage }: EmailPageDomain) {
    const { body } = request;
    const language = languageOf(body.lang, request.header('accept-language'));
    const confirmed = await accounts.emailSessions.confirm(body.sid, body.token);
    return confirmed === undefined
      ? invalidLinkPage(language, emailPage)
      : confirmedPage(language, emailPage, confirmed);
  },
});
