import { translator, type Language, type Translate } from '../../platform/messages/catalogue.ts';
import type { RawReply } from '../endpoint.ts';
import { type Html, html } from '../../platform/html.ts';
import { pageReply } from './page-layout.ts';
import type { StartPageSettings } from './start-page-domain.ts';
import {
  accountForm,
  type FormContext,
  registrationTokenForm,
  setupForm,
  signInForm,
  signOutForm,
} from './start-page-forms.ts';

/** Everything that the page shows. */
export interface StartPageView {
  readonly language: Language;
  readonly settings: StartPageSettings;
  readonly software: { readonly name: string; readonly version: string };
  /** What is wrong with the server, in one word; undefined: nothing. */
  readonly problem: string | undefined;
  readonly isFirstAdministratorDue: boolean;
  /** The token of the one-time link. */
  readonly setupToken: string | undefined;
  readonly administrator: { readonly userId: string; readonly formToken: string } | undefined;
  readonly notice: Notice | undefined;
  /** What was typed into the form that failed; never a password. */
  readonly typed: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}
/** What has become of a form. */
export interface Notice {
  readonly kind: 'done' | 'error';
  readonly text: string;
  /** A value to copy. */
  readonly value?: string;
}

/** The page at `/`, in the words of the message catalogue. */
export function startPage(view: StartPageView): RawReply {
  const say = translator(view.language);
  const { settings } = view;
  const body = html`<main>
    <h1>${settings.serverName}</h1>
    ${notice(view.notice)} ${facts(view, say)} ${administration(view, say)} ${connecting(settings, say)}
    ${otherLanguage(view, say)}
  </main>`;
  return pageReply({
    language: view.language,
    title: say('startPage.title', { serverName: settings.serverName }),
    body,
    ...(view.status === undefined ? {} : { status: view.status }),
    ...(view.headers === undefined ? {} : { headers: view.headers }),
  });
}

/** The link keeps the token of the one-time link, which nobody can find again on the page. */
function otherLanguage({ language, setupToken }: StartPageView, say: Translate): Html {
  const lang = language === 'en' ? 'ru' : 'en';
  const query = new URLSearchParams({ lang, ...(setupToken === undefined ? {} : { setup: setupToken }) });
  return html`<p><a href="/?${query.toString()}" lang="${lang}">${say('startPage.otherLanguage')}</a></p>`;
}

function notice(given: Notice | undefined): Html | undefined {
  if (given === undefined) return undefined;
  const value = given.value === undefined ? undefined : html` <code>${given.value}</code>`;
  return given.kind === 'error'
    ? html`<p class="notice error" role="alert">${given.text}${value}</p>`
    : html`<p class="notice" role="status">${given.text}${value}</p>`;
}

function facts({ settings, software, problem }: StartPageView, say: Translate): Html {
  const registration = {
    open: say('startPage.registrationOpen'),
    token: say('startPage.registrationToken'),
    closed: say('startPage.registrationClosed'),
  };
  return html`<section>
    <p>${problem === undefined ? say('startPage.running') : say('startPage.notReady', { problem })}</p>
    <dl>
      <dt>${say('startPage.serverName')}</dt>
      <dd>${settings.serverName}</dd>
      <dt>${say('startPage.address')}</dt>
      <dd><code>${settings.publicBaseUrl}</code></dd>
      <dt>${say('startPage.registration')}</dt>
      <dd>${registration[settings.registration]}</dd>
      <dt>${say('startPage.software')}</dt>
      <dd>${software.name} ${software.version}</dd>
    </dl>
  </section>`;
}

function administration(view: StartPageView, say: Translate): Html {
  const context: FormContext = {
    say,
    language: view.language,
    typed: view.typed,
    passwordLengthMin: view.settings.passwordLengthMin,
  };
  const { administrator, setupToken } = view;
  if (administrator !== undefined)
    return html`${signOutForm(administrator, context)} ${accountForm(administrator, context)}
    ${registrationTokenForm(administrator, context, view.settings.registration === 'closed')}`;
  if (!view.isFirstAdministratorDue) return signInForm(context);
  if (setupToken !== undefined) return setupForm(setupToken, context);
  return html`<section>
    <h2>${say('setup.heading')}</h2>
    <p>${say('setup.due')}</p>
    <p><code>npm run user -- create ${say('setup.nameInCommand')} --admin</code></p>
  </section>`;
}

function connecting({ serverName, publicBaseUrl }: StartPageSettings, say: Translate): Html {
  return html`<section>
    <h2>${say('connect.heading')}</h2>
    <p>${say('connect.intro')}</p>
    <ol>
      <li>
        ${say('connect.get')}
        <a href="https://element.io/download" rel="noreferrer">${say('connect.getLink')}</a>
      </li>
      <li>${say('connect.homeserver')} <code>${publicBaseUrl}</code></li>
      <li>${say('connect.signIn', { example: `@name:${serverName}` })}</li>
    </ol>
    <p><a href="https://matrix.org/ecosystem/clients/" rel="noreferrer">${say('connect.otherApps')}</a></p>
  </section>`;
}
