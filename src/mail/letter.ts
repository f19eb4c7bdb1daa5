/** What a message says, once: both its forms, plain text and HTML, are made from it. */
import { type Html, html } from '../platform/html.ts';
import type { Language } from '../platform/messages/catalogue.ts';

export type LetterPart =
  | { readonly kind: 'text'; readonly text: string }
  /** A link that is meant to be followed. */
  | { readonly kind: 'link'; readonly label: string; readonly url: string }
  /** Something to be copied. */
  | { readonly kind: 'code'; readonly text: string }
  /** Small print. */
  | { readonly kind: 'note'; readonly text: string }
  /** What somebody else wrote, under a name. */
  | { readonly kind: 'quote'; readonly from: string; readonly text: string };

export interface Letter {
  readonly language: Language;
  readonly subject: string;
  readonly parts: readonly LetterPart[];
}

export function letterText({ parts }: Letter): string {
  return `${parts.map(partText).join('\n\n')}\n`;
}

/** Nothing in it comes from anywhere else: no pictures, no fonts, so that reading it tells nobody. */
export function letterHtml({ language, subject, parts }: Letter): string {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${subject}</title>
      </head>
      <body style="font: 16px/1.5 sans-serif; margin: 0 auto; max-width: 40em; padding: 1em">
        ${parts.map(partHtml)}
      </body>
    </html>`.text;
}

function partText(part: LetterPart): string {
  switch (part.kind) {
    case 'link':
      return `${part.label}:\n${part.url}`;
    case 'code':
      return `    ${part.text}`;
    case 'quote':
      return `${part.from}:\n${part.text.replaceAll(/^/gm, '> ')}`;
    default:
      return part.text;
  }
}

function partHtml(part: LetterPart): Html {
  switch (part.kind) {
    case 'text':
      return html`<p>${part.text}</p>`;
    case 'note':
      return html`<p style="font-size: 14px; opacity: 0.75">${part.text}</p>`;
    case 'code':
      return html`<p><code style="font-size: 18px; overflow-wrap: anywhere">${part.text}</code></p>`;
    case 'link':
      return html`<p>
        <a href="${part.url}" style="font-weight: bold">${part.label}</a><br />
        <span style="font-size: 14px; overflow-wrap: anywhere">${part.url}</span>
      </p>`;
    case 'quote':
      return html`<p><b>${part.from}</b></p>
        <blockquote style="border-left: 3px solid #8888; margin: 0; padding-left: 1em; white-space: pre-wrap">
          ${part.text}
        </blockquote>`;
  }
}
