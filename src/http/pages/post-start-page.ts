/** POST /: the forms of the start page. */
import { translator } from '../../platform/messages/catalogue.ts';
import { object, oneOf, optional, string } from '../decode.ts';
import { defineEndpoint, type RawReply } from '../endpoint.ts';
import { findSession, languageOf, loadView } from './load-view.ts';
import { isFormToken, isFromOurPage, sessionCookie } from './page-session.ts';
import { FormProblem, problemOf } from './form-problem.ts';
import { type FormResult, performAction } from './perform-action.ts';
import type { StartPageDomain } from './start-page-domain.ts';
import { startPage, type Notice } from './start-page.ts';

const text = (): ReturnType<typeof optional<string>> => optional(string({ maxBytes: 1_000 }));

export const postStartPage = defineEndpoint({
  operationId: 'postStartPage',
  method: 'POST',
  path: '/',
  auth: 'none',
  // Each action is counted by itself (perform-action.ts): guessing passwords must be slow, making accounts need not be.
  rateLimit: 'none',
  params: {},
  query: {},
  bodyFormat: 'form',
  bodyBytesMax: 16_384,
  body: object({
    action: oneOf('create-first-administrator', 'sign-in', 'sign-out', 'create-account', 'create-registration-token'),
    lang: text(),
    token: text(),
    setup: text(),
    user: text(),
    localpart: text(),
    password: text(),
    admin: text(),
    uses: text(),
    days: text(),
  }),
  handle: async (request, domain: StartPageDomain): Promise<RawReply> => {
    const { body: form } = request;
    const language = languageOf(form.lang, request.header('accept-language'));
    const { settings } = domain.startPage;
    const show = async (notice: Notice, status: number): Promise<RawReply> => {
      const typed = status === 200 ? {} : typedInto(form);
      return startPage(await loadView(request, domain, { language, setupToken: form.setup, notice, typed, status }));
    };
    try {
      if (!isFromOurPage(request, settings.publicBaseUrl))
        throw new FormProblem(403, (say) => say('error.foreignForm'));
      const session = await findSession(request, domain);
      if (session !== undefined && !isFormToken(form.token, session.accessToken) && form.action !== 'sign-in')
        throw new FormProblem(403, (say) => say('error.foreignForm'));
      const result = await performAction(form, request.client, session?.requester, domain);
      return 'notice' in result
        ? await show(result.notice(translator(language)), 200)
        : redirectHome(result, request.client.origin, language);
    } catch (error) {
      const problem = problemOf(error, form.action, settings.passwordLengthMin);
      return show({ kind: 'error', text: problem.text(translator(language)) }, problem.status);
    }
  },
});

/** The address bar must not keep the one-time token, and reloading must not send the form again. */
function redirectHome(
  { accessToken }: Extract<FormResult, { readonly accessToken: string | undefined }>,
  origin: string,
  language: string,
): RawReply {
  const headers = {
    Location: `/?lang=${language}`,
    'Set-Cookie': sessionCookie(origin, accessToken),
    'Cache-Control': 'no-store',
  };
  return { status: 303, headers, raw: '' };
}

function typedInto(form: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const typed: Record<string, string> = {};
  for (const name of ['user', 'localpart', 'uses', 'days']) typed[name] = form[name] ?? '';
  return typed;
}
