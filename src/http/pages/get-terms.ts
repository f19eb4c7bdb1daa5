import { termsPath } from '../../accounts/terms.ts';
import { notFound } from '../../matrix/errors.ts';
import { html } from '../../platform/html.ts';
import type { TermsText } from '../../platform/terms-texts.ts';
import { string } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import { pageReply } from './page-layout.ts';

/** GET /_matrix/client/unstable/veche/terms/{document}/{version}/{language}: a document that people accept when they register. */
export const getTerms = defineEndpoint({
  operationId: 'getTerms',
  method: 'GET',
  path: `${termsPath}/{document}/{version}/{language}`,
  auth: 'none',
  rateLimit: 'read',
  params: { document: string(), version: string(), language: string() },
  query: {},
  async handle({ params }, { termsTexts }: { termsTexts: readonly TermsText[] }) {
    const { document, version, language } = params;
    const found = termsTexts.find(
      (one) => one.document === document && one.version === version && one.language === language,
    );
    if (found === undefined) throw notFound('There is no such document');
    const paragraphs = found.text.split(/\r?\n\s*\r?\n/).filter((paragraph) => paragraph.trim() !== '');
    return pageReply({
      language: found.language,
      title: found.name,
      body: html`<main>
        <h1>${found.name}</h1>
        ${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
      </main>`,
    });
  },
});
