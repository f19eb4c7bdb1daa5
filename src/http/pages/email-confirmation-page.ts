/** The page that a message's link leads to. Opening it changes nothing, because programs open links too: a button confirms. */
import { confirmEmailPath, type EmailConfirmation } from '../../accounts/email/email-sessions.ts';
import type { Accounts } from '../../accounts/index.ts';
import { type Html, html } from '../../platform/html.ts';
import { type Language, type Translate, translator } from '../../platform/messages/catalogue.ts';
import type { RawReply } from '../endpoint.ts';
import { pageReply } from './page-layout.ts';

export interface EmailPageDomain {
  readonly accounts: Pick<Accounts, 'emailSessions'>;
  readonly emailPage: { readonly serverName: string; readonly redirectHosts: readonly string[] };
}

/** The question. */
export function askingPage(
  language: Language,
  { serverName }: EmailPageDomain['emailPage'],
  link: { readonly sid: string; readonly token: string },
  about: EmailConfirmation,
): RawReply {
  const say = translator(language);
  const { address, userId } = about;
  return page(language, serverName, 200, [
    html`<p>${userId === undefined ? say('confirm.ask', { address }) : say('confirm.askReset', { userId })}</p>`,
    html`<form method="post" action="${confirmEmailPath}">
      <input type="hidden" name="sid" value="${link.sid}" />
      <input type="hidden" name="token" value="${link.token}" />
      <input type="hidden" name="lang" value="${language}" />
      <button>${say('confirm.submit')}</button>
    </form>`,
  ]);
}

/** That it is done, and where to go from here: at once to hosts that the configuration names, by a link to others. */
export function confirmedPage(
  language: Language,
  { serverName, redirectHosts }: EmailPageDomain['emailPage'],
  { address, nextLink }: EmailConfirmation,
): RawReply {
  const say = translator(language);
  const next = nextLink === undefined ? undefined : (URL.parse(nextLink) ?? undefined);
  const headers = next !== undefined && redirectHosts.includes(next.host) ? { Refresh: `0; url=${next.href}` } : {};
  const parts = [html`<p>${say('confirm.done', { address })}</p>`, ...nextPart(next, say)];
  return page(language, serverName, 200, parts, headers);
}

export function invalidLinkPage(language: Language, { serverName }: EmailPageDomain['emailPage']): RawReply {
  return page(language, serverName, 400, [html`<p>${translator(language)('confirm.invalid')}</p>`]);
}

function nextPart(next: URL | undefined, say: Translate): readonly Html[] {
  if (next === undefined) return [];
  return [html`<p><a rel="noreferrer" href="${next.href}">${say('confirm.next', { host: next.host })}</a></p>`];
}

function page(
  language: Language,
  serverName: string,
  status: number,
  parts: readonly Html[],
  headers: Readonly<Record<string, string>> = {},
): RawReply {
  const say = translator(language);
  return pageReply({
    language,
    title: say('confirm.title', { serverName }),
    body: html`<main>
      <h1>${serverName}</h1>
      <section>
        <h2>${say('confirm.heading')}</h2>
        ${parts}
      </section>
    </main>`,
    status,
    // The address of the page holds what confirms: no other page may learn it.
    headers: { ...headers, 'Referrer-Policy': 'no-referrer' },
  });
}
