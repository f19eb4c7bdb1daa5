import { html } from '../../platform/html.ts';
import { translator } from '../../platform/messages/catalogue.ts';
import { optional, string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { languageOf } from './load-view.ts';
import { pageReply, PageScript } from './page-layout.ts';

interface Domain {
  readonly emailPage: { readonly serverName: string };
}

/** GET /_matrix/static/client/login/: signing in for apps that know none of the ways. https://spec.matrix.org/v1.19/client-server-api/#login-fallback */
export const getLoginFallback = defineEndpoint({
  operationId: 'getLoginFallback',
  method: 'GET',
  path: '/_matrix/static/client/login/',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  // What else is in the query goes to /login, from the page.
  query: { lang: optional(string()) },
  async handle(request, { emailPage: { serverName } }: Domain) {
    const language = languageOf(request.query.lang, request.header('accept-language'));
    const say = translator(language);
    return pageReply({
      language,
      title: `${serverName}: ${say('login.heading')}`,
      body: html`<main>
        <h1>${serverName}</h1>
        <section>
          <h2>${say('login.heading')}</h2>
          <noscript><p class="notice error">${say('login.noScript')}</p></noscript>
          <p
            id="told"
            role="alert"
            data-wrong="${say('error.wrongPassword')}"
            data-limited="${say('error.limitExceeded', { seconds: '#' })}"
            data-other="${say('error.other', { message: '#' })}"
            data-done="${say('login.done')}"
          ></p>
          <form id="login" method="dialog">
            <p><label for="user">${say('field.user')}</label><input id="user" autocomplete="username" required /></p>
            <p>
              <label for="password">${say('field.password')}</label>
              <input id="password" type="password" autocomplete="current-password" required />
            </p>
            <button>${say('signIn.submit')}</button>
          </form>
        </section>
      </main>`,
      script: loginScript,
    });
  },
});

/** Apps put their own function into `matrixLogin` before or after the page is there. */
const loginScript = new PageScript(`
window.matrixLogin = window.matrixLogin || {};
window.matrixLogin.onLogin = window.matrixLogin.onLogin || function () {};
(function () {
  var form = document.getElementById("login");
  var told = document.getElementById("told");
  function tell(text, isError) {
    told.textContent = text;
    told.className = isError ? "notice error" : "notice";
  }
  function request() {
    var body = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: document.getElementById("user").value.trim() },
      password: document.getElementById("password").value
    };
    var given = new URLSearchParams(window.location.search);
    ["device_id", "initial_device_display_name"].forEach(function (name) {
      if (given.has(name)) body[name] = given.get(name);
    });
    if (given.has("refresh_token")) body.refresh_token = given.get("refresh_token") === "true";
    return body;
  }
  function answered(status, answer) {
    if (status === 200) {
      form.hidden = true;
      tell(told.dataset.done, false);
      window.matrixLogin.onLogin(answer);
    } else if (answer.errcode === "M_LIMIT_EXCEEDED") {
      tell(told.dataset.limited.replace("#", Math.ceil((answer.retry_after_ms || 1000) / 1000)), true);
    } else if (answer.errcode === "M_FORBIDDEN") {
      tell(told.dataset.wrong, true);
    } else {
      tell(told.dataset.other.replace("#", answer.error || status), true);
    }
  }
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    fetch("/_matrix/client/v3/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request())
    }).then(function (response) {
      return response.json().then(function (answer) { answered(response.status, answer); });
    }).catch(function (error) {
      tell(told.dataset.other.replace("#", error.message), true);
    });
  });
})();
`);
