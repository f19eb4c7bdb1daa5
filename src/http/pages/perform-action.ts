import type { Requester } from '../../accounts/requester.ts';
import type { Translate } from '../../platform/messages/catalogue.ts';
import type { ClientInfo } from '../endpoint.ts';
import { countCall } from '../count-call.ts';
import { FormProblem } from './form-problem.ts';
import type { StartPageDomain } from './start-page-domain.ts';
import type { FormAction } from './start-page-forms.ts';
import type { Notice } from './start-page.ts';

export interface SentForm {
  readonly action: FormAction;
  readonly setup: string | undefined;
  readonly user: string | undefined;
  readonly localpart: string | undefined;
  readonly password: string | undefined;
  readonly admin: string | undefined;
  readonly uses: string | undefined;
  readonly days: string | undefined;
}

/** What comes of a form: words, or a session that begins (or, undefined, ends) and the page anew. */
export type FormResult = { readonly notice: (say: Translate) => Notice } | { readonly accessToken: string | undefined };

/**
 * Does what the form asks, by the functions that the API uses too. `requester` is the administrator who is signed in.
 * Throws FormProblem, or the MatrixError of the accounts.
 */
export async function performAction(
  form: SentForm,
  client: ClientInfo,
  requester: Requester | undefined,
  domain: StartPageDomain,
): Promise<FormResult> {
  const { accounts } = domain.startPage;
  if (form.action === 'create-first-administrator') {
    countAttempt(client, domain);
    const { setup = '', localpart = '', password = '' } = form;
    if (!(await accounts.firstAdministratorDue())) throw new FormProblem(403, (say) => say('error.setupDone'));
    const session = await accounts.createFirstAdministrator(setup, localpart.trim(), password, client);
    return { accessToken: session.accessToken };
  }
  if (form.action === 'sign-in') {
    countAttempt(client, domain);
    return { accessToken: await signIn(form, client, domain) };
  }
  if (requester === undefined) throw new FormProblem(401, (say) => say('error.signedOut'));
  switch (form.action) {
    case 'sign-out':
      await accounts.signOut(requester);
      return { accessToken: undefined };
    case 'create-account': {
      const account = {
        localpart: (form.localpart ?? '').trim(),
        password: form.password ?? '',
        isAdmin: form.admin === 'yes',
      };
      const userId = await accounts.createAccount(requester, account);
      return { notice: (say) => ({ kind: 'done', text: say('account.made', { userId }) }) };
    }
    case 'create-registration-token': {
      const days = wholeNumber(form.days, daysMax);
      const token = await accounts.createRegistrationToken(requester, {
        usesAllowed: wholeNumber(form.uses, usesMax),
        expiresMs: days === undefined ? undefined : domain.startPage.clock.nowMs() + days * dayMs,
      });
      return { notice: (say) => ({ kind: 'done', text: say('token.made'), value: token }) };
    }
  }
}

async function signIn(form: SentForm, client: ClientInfo, { startPage }: StartPageDomain): Promise<string> {
  const { accounts } = startPage;
  const { accessToken } = await accounts.signIn((form.user ?? '').trim(), form.password ?? '', client);
  const requester = await accounts.findRequester(accessToken, client);
  if (requester?.isAdmin === true) return accessToken;
  // The page has nothing for others, so it keeps no session for them.
  if (requester !== undefined) await accounts.signOut(requester);
  throw new FormProblem(403, (say) => say('error.notAdministrator'));
}

function countAttempt(client: ClientInfo, { startPage }: StartPageDomain): void {
  countCall('login', undefined, client, startPage.rateLimiter);
}

/** Nothing typed is undefined. */
function wholeNumber(text: string | undefined, max: number): number | undefined {
  const typed = text?.trim() ?? '';
  if (typed === '') return undefined;
  const number = /^\d{1,9}$/.test(typed) ? Number(typed) : 0;
  if (number < 1 || number > max) throw new FormProblem(400, (say) => say('error.badNumber', { max }));
  return number;
}

const dayMs = 24 * 60 * 60 * 1000;
const daysMax = 36_500;
const usesMax = 1_000_000;
