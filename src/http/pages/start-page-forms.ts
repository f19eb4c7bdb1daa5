import type { Language, Translate } from '../../platform/messages/catalogue.ts';
import { type Html, html } from '../../platform/html.ts';

/** What all forms need. */
export interface FormContext {
  readonly say: Translate;
  readonly language: Language;
  /** What was typed before. */
  readonly typed: Readonly<Record<string, string>>;
  readonly passwordLengthMin: number;
}
export interface Administrator {
  readonly userId: string;
  readonly formToken: string;
}

/** `action` of each form: what post-start-page.ts does with it. */
export type FormAction =
  'create-first-administrator' | 'sign-in' | 'sign-out' | 'create-account' | 'create-registration-token';

export function setupForm(setupToken: string, context: FormContext): Html {
  const { say } = context;
  return html`<section>
    <h2>${say('setup.heading')}</h2>
    <p>${say('setup.intro')}</p>
    ${form(
      'create-first-administrator',
      { setup: setupToken },
      html`${nameField(context)} ${passwordField(context)} ${submit(say('setup.submit'))}`,
      context,
    )}
  </section>`;
}

export function signInForm(context: FormContext): Html {
  const { say } = context;
  const fields = html`<div>
      <label for="user">${say('field.user')}</label>
      <input
        id="user"
        name="user"
        value="${context.typed['user']}"
        required
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
      />
    </div>
    <div>
      <label for="password">${say('field.password')}</label>
      <input id="password" name="password" type="password" required autocomplete="current-password" />
    </div>
    ${submit(say('signIn.submit'))}`;
  return html`<section>
    <h2>${say('signIn.heading')}</h2>
    ${form('sign-in', {}, fields, context)}
  </section>`;
}

export function signOutForm(administrator: Administrator, context: FormContext): Html {
  const { say } = context;
  return html`<section>
    <p>${say('signIn.as', { userId: administrator.userId })}</p>
    ${form('sign-out', { token: administrator.formToken }, submit(say('signIn.signOut')), context)}
  </section>`;
}

export function accountForm(administrator: Administrator, context: FormContext): Html {
  const { say } = context;
  const fields = html`${nameField(context)} ${passwordField(context)}
    <div>
      <label class="choice"><input type="checkbox" name="admin" value="yes" /> ${say('account.isAdmin')}</label>
    </div>
    ${submit(say('account.submit'))}`;
  return html`<section>
    <h2>${say('account.heading')}</h2>
    ${form('create-account', { token: administrator.formToken }, fields, context)}
  </section>`;
}

export function registrationTokenForm(
  administrator: Administrator,
  context: FormContext,
  isRegistrationClosed: boolean,
): Html {
  const { say } = context;
  const fields = html`${numberField('uses', say('token.uses'), say('token.usesHint'), context)}
  ${numberField('days', say('token.days'), say('token.daysHint'), context)} ${submit(say('token.submit'))}`;
  return html`<section>
    <h2>${say('token.heading')}</h2>
    <p>${isRegistrationClosed ? say('token.closed') : say('token.intro')}</p>
    ${form('create-registration-token', { token: administrator.formToken }, fields, context)}
  </section>`;
}

function form(
  action: FormAction,
  hidden: Readonly<Record<string, string>>,
  fields: Html,
  { language }: FormContext,
): Html {
  const given = Object.entries({ action, lang: language, ...hidden });
  return html`<form method="post" action="/">
    ${given.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)} ${fields}
  </form>`;
}

const submit = (text: string): Html => html`<button type="submit">${text}</button>`;

function nameField({ say, typed }: FormContext): Html {
  return html`<div>
    <label for="localpart">${say('field.name')}</label>
    <input
      id="localpart"
      name="localpart"
      value="${typed['localpart']}"
      required
      aria-describedby="localpart-hint"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
    />
    <p class="hint" id="localpart-hint">${say('field.nameHint')}</p>
  </div>`;
}

function passwordField({ say, passwordLengthMin }: FormContext): Html {
  return html`<div>
    <label for="new-password">${say('field.password')}</label>
    <input
      id="new-password"
      name="password"
      type="password"
      required
      minlength="${passwordLengthMin}"
      aria-describedby="new-password-hint"
      autocomplete="new-password"
    />
    <p class="hint" id="new-password-hint">${say('field.passwordHint', { length: passwordLengthMin })}</p>
  </div>`;
}

function numberField(name: string, label: string, hint: string, { typed }: FormContext): Html {
  return html`<div>
    <label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      value="${typed[name]}"
      inputmode="numeric"
      pattern="[0-9]*"
      aria-describedby="${name}-hint"
      autocomplete="off"
    />
    <p class="hint" id="${name}-hint">${hint}</p>
  </div>`;
}
