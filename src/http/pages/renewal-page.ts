/** The page that the link in a message about an account that expires leads to. */
import type { AccountValidity } from '../../accounts/validity/account-validity.ts';
import { renewalPath } from '../../accounts/validity/account-validity.ts';
import { html } from '../../platform/html.ts';
import { type Language, translator } from '../../platform/messages/catalogue.ts';
import type { RawReply } from '../endpoint.ts';
import type { EmailPageDomain } from './email-confirmation-page.ts';
import { pageReply } from './page-layout.ts';

export interface RenewalDomain {
  readonly accounts: { readonly validity: Pick<AccountValidity, 'findRenewal' | 'renew'> };
  readonly emailPage: Pick<EmailPageDomain['emailPage'], 'serverName'>;
}

/** `userId` undefined: the link is not valid. `token` undefined: it is done. */
export function renewalPage(
  language: Language,
  serverName: string,
  userId: string | undefined,
  token: string | undefined,
): RawReply {
  const say = translator(language);
  const form = html`<p>${say('renew.ask', { userId: userId ?? '' })}</p>
    <form method="post" action="${renewalPath}">
      <input type="hidden" name="token" value="${token ?? ''}" />
      <input type="hidden" name="lang" value="${language}" />
      <button>${say('renew.submit')}</button>
    </form>`;
  const told = html`<p>${userId === undefined ? say('confirm.invalid') : say('renew.done', { userId })}</p>`;
  return pageReply({
    language,
    title: say('renew.subject', { serverName }),
    body: html`<main>
      <h1>${serverName}</h1>
      <section>${userId === undefined || token === undefined ? told : form}</section>
    </main>`,
    status: userId === undefined ? 400 : 200,
    headers: { 'Referrer-Policy': 'no-referrer' },
  });
}
