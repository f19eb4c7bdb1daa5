import { notFound } from '../../matrix/errors.ts';
import { optional, string, withDefault } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { languageOf } from './load-view.ts';
import { passedPage, type StagePageDomain, stagePage, stagePath, unknownStagePage } from './stage-page.ts';

/** GET /_matrix/client/v3/auth/{authType}/fallback/web: what an app opens for a stage that it does not know. https://spec.matrix.org/v1.19/client-server-api/#fallback */
export const getStage = defineEndpoint({
  operationId: 'getStage',
  method: 'GET',
  path: stagePath,
  auth: 'none',
  rateLimit: 'login',
  params: { authType: string() },
  query: { session: withDefault(string(), ''), lang: optional(string()) },
  async handle(request, { accounts, emailPage: { serverName } }: StagePageDomain) {
    const { params, query } = request;
    if (!params.authType.startsWith('m.login.')) throw notFound('There is no such kind of authentication');
    const about = { language: languageOf(query.lang, request.header('accept-language')), serverName };
    const stage = accounts.interactiveAuth.findStage(query.session, params.authType);
    if (stage === undefined) return unknownStagePage(about);
    return stage.isPassed ? passedPage(about) : stagePage({ ...about, session: query.session, stage });
  },
});
