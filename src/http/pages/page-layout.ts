import { createHash } from 'node:crypto';
import type { RawReply } from '../endpoint.ts';
import { Html, html } from '../../platform/html.ts';

/** The text of a script that is part of this program, and by its hash the only one that a page may run. */
export class PageScript {
  readonly element: Html;
  readonly hash: string;

  constructor(text: string) {
    this.element = new Html(`<script>${text}</script>`);
    this.hash = createHash('sha256').update(text).digest('base64');
  }
}

/** A whole page as an answer. Nothing in it comes from anywhere else, and nothing in it runs but `script`, which may ask this server. */
export function pageReply(page: {
  readonly language: string;
  readonly title: string;
  readonly body: Html;
  /** At the end of the page. */
  readonly script?: PageScript;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}): RawReply {
  const document = html`<!doctype html>
    <html lang="${page.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>${page.title}</title>
        ${styleElement}
      </head>
      <body>
        ${page.body} ${page.script?.element}
      </body>
    </html>`;
  return {
    status: page.status ?? 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': page.language,
      'Cache-Control': 'no-store',
      Vary: 'Accept-Language, Cookie',
      ...securityHeaders(page.script),
      ...page.headers,
    },
    raw: document.text,
  };
}

const style = `
:root { color-scheme: light dark; --accent: #0b57d0; --line: #8888; font: 1.0625rem/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; } }
body { margin: 0 auto; max-width: 42rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 0 0 .5rem; }
section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
section > :first-child { margin-top: 0; }
section > :last-child { margin-bottom: 0; }
dl { display: grid; gap: .25rem 1.5rem; grid-template-columns: max-content 1fr; margin: 0; }
dt { opacity: .75; }
dd { margin: 0; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
a { color: var(--accent); }
code { background: #8882; border-radius: .25rem; padding: .125rem .375rem; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
form { display: grid; gap: 1rem; max-width: 26rem; }
label { display: block; font-weight: 600; }
label.choice { font-weight: 400; min-height: 1.5rem; }
input:not([type=checkbox]) { border: 1px solid; border-radius: .375rem; box-sizing: border-box; font: inherit; padding: .5rem .75rem; width: 100%; }
input[type=checkbox] { height: 1.25rem; vertical-align: middle; width: 1.25rem; }
button { background: var(--accent); border: 0; border-radius: .375rem; color: Canvas; cursor: pointer; font: inherit; font-weight: 600; justify-self: start; min-height: 2.75rem; padding: .5rem 1.25rem; }
:focus-visible { outline: .1875rem solid var(--accent); outline-offset: .125rem; }
.hint { margin: .25rem 0 0; opacity: .75; }
.notice { border: 1px solid var(--line); border-left: .375rem solid #1a7f37; border-radius: .375rem; padding: .75rem 1rem; }
.notice.error { border-left-color: #cf222e; }
`;
const styleElement = new Html(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

const securityHeaders = (script: PageScript | undefined): Readonly<Record<string, string>> => ({
  'Content-Security-Policy':
    `default-src 'none'; ${script === undefined ? '' : `script-src 'sha256-${script.hash}'; connect-src 'self'; `}style-src 'sha256-${styleHash}'; img-src data:; form-action 'self'; ` +
    "base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // Not no-referrer: browsers would then send "Origin: null" with our own forms.
  'Referrer-Policy': 'same-origin',
});
