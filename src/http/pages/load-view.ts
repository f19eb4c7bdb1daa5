import type { Requester } from '../../accounts/requester.ts';
import { pickLanguage, type Language } from '../../platform/messages/catalogue.ts';
import type { EndpointRequest } from '../endpoint.ts';
import { findSessionToken, formToken } from './page-session.ts';
import type { StartPageDomain } from './start-page-domain.ts';
import type { StartPageView } from './start-page.ts';

export type PageRequest = Pick<EndpointRequest<unknown, unknown, unknown, unknown>, 'client' | 'header'>;
type Shown = Pick<StartPageView, 'language' | 'setupToken'> & Partial<StartPageView>;

/** What the page shows to this request now, with what the caller knows better. */
export async function loadView(request: PageRequest, domain: StartPageDomain, shown: Shown): Promise<StartPageView> {
  const { accounts, settings } = domain.startPage;
  const [isFirstAdministratorDue, problem, session] = await Promise.all([
    accounts.firstAdministratorDue(),
    domain.health.findProblem(),
    findSession(request, domain),
  ]);
  const administrator =
    session === undefined ? undefined : { userId: session.requester.userId, formToken: formToken(session.accessToken) };
  return {
    settings,
    software: domain.software,
    problem,
    isFirstAdministratorDue,
    administrator,
    notice: undefined,
    typed: {},
    ...shown,
  };
}

/** The administrator whose session cookie came with the request; whoever is no administrator any more has none. */
export async function findSession(
  request: PageRequest,
  { startPage: { accounts } }: StartPageDomain,
): Promise<{ readonly requester: Requester; readonly accessToken: string } | undefined> {
  const accessToken = findSessionToken(request);
  if (accessToken === undefined) return undefined;
  const requester = await accounts.findRequester(accessToken, request.client);
  return requester?.isAdmin === true ? { requester, accessToken } : undefined;
}

/** The language chosen on the page, otherwise the browser's. */
export function languageOf(chosen: string | undefined, acceptLanguage: string | undefined): Language {
  return chosen === 'en' || chosen === 'ru' ? chosen : pickLanguage(acceptLanguage);
}
