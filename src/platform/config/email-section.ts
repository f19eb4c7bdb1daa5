/** Sending e-mail. */
import { isMailAddress } from '../../matrix/ids/email.ts';
import * as kind from './kinds.ts';
import { field, secretField, section } from './sections.ts';

const addressPattern = kind.text('an address in which * stands for any text, such as *@example.org', (value) =>
  /^[^\s@]+@[^\s@]+$/.test(value) ? value : undefined,
);

const sender = kind.text('an address, such as "Example <matrix@example.org>"', (value) =>
  isMailAddress(/^[^<>"\r\n]*<([^<>]+)>$/.exec(value)?.[1] ?? value) ? value : undefined,
);

export const emailSection = section(
  'Sending e-mail: to confirm addresses, for forgotten passwords, for notifications.',
  {
    smtp: section('The mail server.', {
      host: field(kind.nullable(kind.nonEmpty('a host name')), null, 'null: no e-mail is sent.'),
      port: field(kind.integer(1, 65_535), 587, 'Usually 587 for starttls, 465 for tls, 25 for none.'),
      security: field(
        kind.oneOf('starttls', 'tls', 'none'),
        'starttls',
        'starttls: encrypted after the greeting, or nothing is sent. tls: from the first byte. none: never, for a mail server on this machine.',
      ),
      user: field(kind.nullable(kind.nonEmpty('a user name')), null, 'null: without logging in.'),
      password: secretField(kind.nullable(kind.secretText()), 'Of the user.'),
      ca_certificates: field(
        kind.listOf(kind.existingFile()),
        [],
        'PEM files of authorities to trust beside the well-known ones.',
      ),
    }),
    from: field(kind.nullable(sender), null, 'Who sends. Needed with a mail server.', {
      example: 'Example <matrix@example.org>',
    }),
    language: field(kind.oneOf('en', 'ru'), 'en', 'Of messages to people whose language is not known.'),
    allowed_addresses: field(
      kind.listOf(addressPattern),
      [],
      'Only such addresses are written to and can belong to accounts. An empty list: all.',
      { example: ['*@example.org', '*@*.example.org'] },
    ),
    denied_addresses: field(kind.listOf(addressPattern), [], 'Never these, whatever allowed_addresses says.'),
    redirect_hosts: field(
      kind.listOf(kind.nonEmpty('a host name')),
      [],
      'Hosts of apps to which people are sent on when an address is confirmed; for other hosts there is a link to follow.',
      { example: ['app.example.org'] },
    ),
    hide_known_addresses: field(
      kind.boolean(),
      true,
      'Whether an address belongs to an account is told by e-mail to whoever reads its mailbox, not to whoever asks.',
    ),
  },
  (value, mistake) => {
    if (value.smtp.host !== undefined && value.from === undefined) mistake('from', 'is needed with a mail server');
  },
);
