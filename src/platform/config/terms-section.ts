/** Documents that people accept when they register. */
import * as kind from './kinds.ts';
import { field, object, requiredField } from './sections.ts';

const documentId = kind.text('a name of small letters, digits and _', (value) =>
  /^[a-z0-9_]{1,64}$/.test(value) ? value : undefined,
);
const versionText = kind.text('a version of letters, digits and any of ._-', (value) =>
  /^[A-Za-z0-9._-]{1,64}$/.test(value) ? value : undefined,
);
const languageTag = kind.text('a language, such as en or ru', (value) =>
  /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(value) ? value : undefined,
);

const translation = object(
  {
    name: requiredField(kind.nonEmpty(), 'What the document is called.'),
    file: field(kind.nullable(kind.existingFile()), null, 'Its plain text, which this server shows.'),
    url: field(kind.nullable(kind.httpUrl()), null, 'Where it is, if not here.'),
  },
  (value, mistake) => {
    if ((value.file === undefined) === (value.url === undefined)) mistake('file', 'or url is needed, and not both');
  },
);

const termsDocument = object({
  id: requiredField(documentId, 'Such as privacy_policy.'),
  version: requiredField(versionText, 'To be changed with the text. In quotes.'),
  languages: requiredField(kind.recordOf(languageTag, translation), 'By language: name, and file or url.'),
});

export const termsField = field(
  kind.listOf(termsDocument, { unique: ({ id }) => id }),
  [],
  'Documents that people must accept to register; what they accepted is noted with the account.',
  {
    example: [
      {
        id: 'privacy_policy',
        version: '1.0',
        languages: { en: { name: 'Privacy policy', url: 'https://example.org/privacy' } },
      },
    ],
  },
);
