/** What is told of pages that messages link to. */
import * as kind from './kinds.ts';
import { field, section } from './sections.ts';

const pattern = kind.text('a pattern of URLs, such as *.example.org or example.org/private/*', (value) =>
  value !== '' && !/\s/.test(value) ? value : undefined,
);

export const urlPreviewsSection = section(
  'What this server tells its users of pages that messages link to. It gets those pages itself, and only from addresses as in outgoing. ' +
    'A pattern is a host (*.example.org), a host and a path (example.org/private/*), or begins with a scheme (http://*).',
  {
    enabled: field(
      kind.boolean(),
      true,
      'false: no page is asked for, and clients are told so. Clients ask in rooms that are not encrypted.',
    ),
    allowed: field(kind.listOf(pattern), [], 'Where there are any, other URLs are not previewed.', {
      example: ['*.example.org'],
    }),
    blocked: field(kind.listOf(pattern), [], 'URLs that are not previewed.', {
      example: ['intranet.example.org', '*.example.org/private/*'],
    }),
  },
);
