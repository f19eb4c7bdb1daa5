/** GET /: for people who open the server's address in a browser. */
import { optional, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { languageOf, loadView } from './load-view.ts';
import type { StartPageDomain } from './start-page-domain.ts';
import { startPage } from './start-page.ts';

export const getStartPage = defineEndpoint({
  operationId: 'getStartPage',
  method: 'GET',
  path: '/',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: { lang: optional(string()), setup: optional(string()) },
  handle: async (request, domain: StartPageDomain) => {
    const language = languageOf(request.query.lang, request.header('accept-language'));
    return startPage(await loadView(request, domain, { language, setupToken: request.query.setup }));
  },
});
