/** Pages on which somebody passes a stage of interactive authentication that their app does not know. https://spec.matrix.org/v1.19/client-server-api/#fallback */
import type { Accounts } from '../../accounts/index.ts';
import type { OpenStage } from '../../accounts/interactive-auth.ts';
import { isJsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { type Html, html } from '../../platform/html.ts';
import { type Language, type Translate, translator } from '../../platform/messages/catalogue.ts';
import type { RawReply } from '../endpoint.ts';
import { pageReply, PageScript } from './page-layout.ts';

export const stagePath = '/_matrix/client/v3/auth/{authType}/fallback/web';

export interface StagePageDomain {
  readonly accounts: Pick<Accounts, 'interactiveAuth' | 'emailSessions'>;
  readonly emailPage: { readonly serverName: string };
}
interface About {
  readonly language: Language;
  readonly serverName: string;
}

/** A message that was sent from the page. */
export interface SentMail {
  readonly address: string;
  readonly sid: string;
  readonly clientSecret: string;
}

export interface StageView extends About {
  readonly session: string;
  readonly stage: OpenStage;
  /** Why the form was not done. */
  readonly problem?: string | undefined;
  readonly mail?: SentMail | undefined;
}

/** The form that passes the stage. */
export function stagePage(view: StageView, status = 200): RawReply {
  const { language, stage, session, problem } = view;
  const say = translator(language);
  const { requester } = stage.operation;
  return page(view, status, [
    problem === undefined ? html`` : html`<p class="notice error" role="alert">${problem}</p>`,
    requester === undefined ? html`` : html`<p>${say('stage.for', { userId: requester.userId })}</p>`,
    html`<form method="post">
      <input type="hidden" name="session" value="${session}" />
      <input type="hidden" name="lang" value="${language}" />
      ${fieldsOf(view, say)}
    </form>`,
    html`<p class="hint">${say('stage.warning')}</p>`,
  ]);
}

/** That it is done, which is also told to the app that opened the page. */
export function passedPage(about: About): RawReply {
  const told = html`<p class="notice">${translator(about.language)('stage.done')}</p>`;
  return page(about, 200, [told], tellingScript);
}

export function unknownStagePage(about: About): RawReply {
  return page(about, 400, [html`<p>${translator(about.language)('stage.unknown')}</p>`]);
}

/** In the specification's words. */
const tellingScript = new PageScript(`
if (window.onAuthDone) {
    window.onAuthDone();
} else if (window.opener && window.opener.postMessage) {
    window.opener.postMessage("authDone", "*");
}
`);

function fieldsOf({ stage, mail, language }: StageView, say: Translate): Html {
  switch (stage.type) {
    case 'm.login.dummy':
      return html`<button>${say('stage.continue')}</button>`;
    case 'm.login.terms':
      return html`${documents(stage, language, say)}<button>${say('stage.termsSubmit')}</button>`;
    case 'm.login.registration_token':
      return html`${field('token', say('stage.token'), 'text')}<button>${say('stage.continue')}</button>`;
    case 'm.login.password':
      return html`${stage.operation.requester === undefined ? field('user', say('field.user'), 'text') : undefined}
        ${field('password', say('field.password'), 'password')}<button>${say('stage.continue')}</button>`;
    case 'm.login.email.identity':
      return mail === undefined ? askingForAddress(say) : waitingForMail(mail, say);
  }
}

function askingForAddress(say: Translate): Html {
  return html`${field('email', say('stage.email'), 'email')}<button>${say('stage.sendMail')}</button>`;
}

function waitingForMail({ address, sid, clientSecret }: SentMail, say: Translate): Html {
  return html`<p>${say('stage.mailSent', { address })}</p>
    <input type="hidden" name="address" value="${address}" />
    <input type="hidden" name="sid" value="${sid}" />
    <input type="hidden" name="client_secret" value="${clientSecret}" />
    <button>${say('stage.mailConfirmed')}</button>`;
}

function field(name: string, label: string, type: 'text' | 'password' | 'email'): Html {
  return html`<p>
    <label for="${name}">${label}</label><input id="${name}" name="${name}" type="${type}" required />
  </p>`;
}

/** Each in the reader's language, or else in the first that there is. */
function documents({ operation }: OpenStage, language: Language, say: Translate): Html {
  const policies = operation.stageParameters?.['m.login.terms']?.['policies'] ?? null;
  const links = Object.values(isJsonObject(policies) ? policies : {}).flatMap((policy) =>
    linkOf(policy ?? null, language),
  );
  return html`<p>${say('stage.termsIntro')}</p>
    <ul>
      ${links}
    </ul>`;
}

function linkOf(policy: JsonValue, language: Language): Html[] {
  const texts = isJsonObject(policy)
    ? [policy[language] ?? null, ...Object.values(policy)].filter((one) => isJsonObject(one))
    : [];
  const text = texts[0];
  const { name, url } = text ?? {};
  if (typeof name !== 'string' || typeof url !== 'string') return [];
  return [html`<li><a href="${url}" target="_blank" rel="noopener noreferrer">${name}</a></li>`];
}

function page({ language, serverName }: About, status: number, parts: readonly Html[], script?: PageScript): RawReply {
  const say = translator(language);
  return pageReply({
    language,
    title: say('stage.title', { serverName }),
    body: html`<main>
      <h1>${serverName}</h1>
      <section>
        <h2>${say('stage.heading')}</h2>
        ${parts}
      </section>
    </main>`,
    status,
    ...(script === undefined ? {} : { script }),
    // The address of the page holds the session: no other page may learn it.
    headers: { 'Referrer-Policy': 'no-referrer' },
  });
}
