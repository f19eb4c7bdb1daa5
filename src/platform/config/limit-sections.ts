/** The configurable limits. What nobody should change is in platform/limits.ts only. */
import { boolean, integer, positiveNumber } from './kinds.ts';
import { type Field, field, inlineSection, section } from './sections.ts';

interface Rate {
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests at once. */
  readonly burst: number;
}
const rate = (perSecond: number, burst: number, description: string): Field<Rate> =>
  inlineSection(description, {
    per_second: field(positiveNumber(), perSecond, 'Requests per second in the long run.'),
    burst: field(integer(1, 1_000_000), burst, 'Requests at once.'),
  });

export const rateLimitsSection = section(
  'How many requests one user (or, without an account, one address) may make. Administrators are exempt. per_second is what goes in the long run, burst what goes at once.',
  {
    enabled: field(boolean(), true, 'false: no limits at all.'),
    read: rate(100, 1_000, 'Reading: sync, messages, members, profiles.'),
    send: rate(10, 100, 'Sending events: messages, state, redactions, joins, kicks, bans.'),
    signal: rate(
      20,
      500,
      'Receipts, read markers, typing, presence, tags and other account data, messages between devices, key backups.',
    ),
    create: rate(0.2, 20, 'Making rooms and aliases.'),
    account: rate(1, 50, 'Changing the own account: profile, devices, filters, push rules.'),
    login: rate(1, 60, 'Logging in and proving a password, by address or user, whether it succeeds or not.'),
    login_failures: rate(0.1, 15, 'Wrong passwords for one account from one address.'),
    account_failures: rate(
      0.02,
      100,
      'Wrong passwords for one account from all addresses together that none of its devices was seen at.',
    ),
    mail: rate(0.1, 10, 'E-mails that are asked for, by address or user.'),
    mailbox: rate(0.005, 6, 'E-mails that are asked for to one mailbox.'),
    unknown_tokens: rate(1, 100, 'Access tokens that do not exist, by address.'),
    unknown_signatures: rate(1, 100, 'Requests with a bad signature of another server, by address.'),
    federation: rate(100, 2_000, 'Requests of one other server.'),
    register: rate(0.1, 10, 'Registering, by address.'),
    invite: rate(0.5, 50, 'Inviting and knocking.'),
    upload: rate(2, 200, 'Uploading files.'),
    download: rate(
      50,
      1_000,
      'Downloading files, parts of them and thumbnails, and continuing uploads; by address where no access token is needed.',
    ),
    preview: rate(2, 60, 'Previews of URLs, also those that are known already.'),
    report: rate(0.05, 10, 'Reporting events, rooms and users.'),
  },
);

const mebibyte = 1_048_576;

export const limitsSection = section('How much the server takes on.', {
  request_body_bytes_max: field(
    integer(65_536, 1_073_741_824),
    4 * mebibyte,
    'Body of a request, where nothing else is said (files have media.upload_bytes_max).',
  ),
  federation_body_bytes_max: field(
    integer(1_048_576, 1_073_741_824),
    16 * mebibyte,
    'Body of a request of another server.',
  ),
  federation_requests_per_server_max: field(
    integer(1, 10_000),
    32,
    'Requests of one other server that are answered at once; four times as many may wait.',
  ),
  connections_max: field(integer(1, 1_000_000), 20_000, 'Open connections of one listener.'),
  event_cache_bytes_max: field(
    integer(1_048_576, 2 ** 40),
    64 * mebibyte,
    'Memory for events that were read or sent recently.',
  ),
  hot_rooms_max: field(integer(10, 10_000_000), 10_000, 'Rooms whose state of affairs is held in memory.'),
  names_cache_max: field(integer(1_000, 100_000_000), 200_000, 'User ids, server names and state keys held in memory.'),
});
