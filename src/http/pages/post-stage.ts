import { StageFailed } from '../../accounts/interactive-auth.ts';
import { MatrixError } from '../../matrix/errors.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { MailError } from '../../platform/mail-error.ts';
import { type Language, translator } from '../../platform/messages/catalogue.ts';
import type { Random } from '../../platform/ports.ts';
import { object, optional, string } from '../decode.ts';
import { defineEndpoint, type RawReply } from '../endpoint.ts';
import { languageOf } from './load-view.ts';
import {
  passedPage,
  type SentMail,
  type StagePageDomain,
  stagePage,
  stagePath,
  type StageView,
  unknownStagePage,
} from './stage-page.ts';

const text = () => optional(string({ maxBytes: 4_096 }));
const form = object({
  session: string(),
  lang: optional(string()),
  token: text(),
  user: text(),
  password: text(),
  email: text(),
  address: text(),
  sid: text(),
  client_secret: text(),
});
type Form = ReturnType<typeof form.decode>;
type Domain = StagePageDomain & { readonly ports: { readonly random: Pick<Random, 'bytes'> } };

/** POST /_matrix/client/v3/auth/{authType}/fallback/web: the form of that page. The session in it is what allows it. */
export const postStage = defineEndpoint({
  operationId: 'postStage',
  method: 'POST',
  path: stagePath,
  auth: 'none',
  rateLimit: 'login',
  params: { authType: string() },
  query: {},
  bodyFormat: 'form',
  bodyBytesMax: 32_768,
  body: form,
  async handle(request, domain: Domain) {
    const { params, body } = request;
    const { accounts, emailPage } = domain;
    const language = languageOf(body.lang, request.header('accept-language'));
    const about = { language, serverName: emailPage.serverName };
    const stage = accounts.interactiveAuth.findStage(body.session, params.authType);
    if (stage === undefined) return unknownStagePage(about);
    const view: StageView = { ...about, session: body.session, stage };
    const isAddress = stage.type === 'm.login.email.identity' && body.sid === undefined && !stage.isPassed;
    return isAddress ? sendMail(view, body.email ?? '', domain) : pass(view, body, domain);
  },
});

async function pass(view: StageView, body: Form, { accounts }: Domain): Promise<RawReply> {
  const { session, stage } = view;
  try {
    const isPassed = await accounts.interactiveAuth.passStage(session, stage.type, authOf(view, body));
    return isPassed ? passedPage(view) : unknownStagePage(view);
  } catch (error) {
    return stagePage({ ...view, mail: mailOf(body), problem: problemOf(error, view) }, statusOf(error));
  }
}

async function sendMail(view: StageView, email: string, { accounts, ports }: Domain): Promise<RawReply> {
  const { operation } = view.stage;
  const purpose = operation.emailPurpose;
  if (purpose === undefined) return unknownStagePage(view);
  const clientSecret = ports.random.bytes(24).toString('base64url');
  const { language } = view;
  try {
    const sent = await accounts.emailSessions.request({
      purpose,
      email,
      clientSecret,
      sendAttempt: 1,
      nextLink: undefined,
      language,
    });
    return stagePage({ ...view, mail: { address: email, sid: sent.sid, clientSecret } });
  } catch (error) {
    return stagePage({ ...view, problem: problemOf(error, view) }, statusOf(error));
  }
}

/** What an app would send for the stage. */
function authOf({ stage }: StageView, body: Form): JsonObject {
  const { type, operation } = stage;
  const { token = '', user = '', password = '', sid = '', client_secret: clientSecret = '' } = body;
  switch (type) {
    case 'm.login.registration_token':
      return { type, token: token.trim() };
    case 'm.login.password':
      return operation.requester === undefined
        ? { type, password, identifier: { type: 'm.id.user', user: user.trim() } }
        : { type, password };
    case 'm.login.email.identity':
      return { type, threepid_creds: { sid, client_secret: clientSecret } };
    default:
      return { type };
  }
}

function mailOf({ address, sid, client_secret: clientSecret }: Form): SentMail | undefined {
  return address === undefined || sid === undefined || clientSecret === undefined
    ? undefined
    : { address, sid, clientSecret };
}

function problemOf(error: unknown, { language, stage }: { language: Language; stage: StageView['stage'] }): string {
  const say = translator(language);
  if (error instanceof StageFailed)
    return say(stage.type === 'm.login.email.identity' ? 'stage.notConfirmed' : 'stage.failed');
  if (error instanceof MatrixError && error.errcode === 'M_LIMIT_EXCEEDED')
    return say('error.limitExceeded', { seconds: Math.ceil(Number(error.extra['retry_after_ms'] ?? 1_000) / 1_000) });
  if (error instanceof MatrixError || error instanceof MailError) return say('error.other', { message: error.message });
  throw error;
}

function statusOf(error: unknown): number {
  if (error instanceof MatrixError) return error.status;
  return error instanceof MailError ? 502 : 401;
}
