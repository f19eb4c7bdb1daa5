/**
 * Every key of the configuration, once: reading and checking, the type `Config`, the sample file and the environment variables come
 * from here. The names are a contract with programs that write configurations.
 */
import { isStrictLocalpart, isUserId } from '../../matrix/ids/user-id.ts';
import { emailSection } from './email-section.ts';
import { base64, base64OfLength, keyIdText } from './key-kinds.ts';
import { federationSection, groupName, privateAddresses, userPattern } from './federation-section.ts';
import { livekitSection, turnSection } from './calls-sections.ts';
import * as kind from './kinds.ts';
import { field, type FieldsValue, object, reloadable, requiredField, secretField, section } from './sections.ts';
import { mediaSection } from './media-section.ts';
import { termsField } from './terms-section.ts';
import { limitsSection, rateLimitsSection } from './limit-sections.ts';
import { urlPreviewsSection } from './url-previews-section.ts';

const parts = ['client', 'media', 'federation', 'admin', 'health', 'metrics'] as const;
export type ServedPart = (typeof parts)[number];
export const servedParts: readonly ServedPart[] = parts;

const oldSigningKey = object({
  key_id: requiredField(keyIdText, 'The id of the key.'),
  public_key: requiredField(base64OfLength('a public key', 32), 'The public half.'),
  expired_ts: requiredField(
    kind.integer(0, Number.MAX_SAFE_INTEGER),
    'When it was last used, in milliseconds since 1970.',
  ),
});

const listener = object({
  bind: requiredField(kind.address(), "The address to listen on. '::' is every address, of both families."),
  port: requiredField(kind.integer(0, 65_535), '0: any free one.'),
  serve: requiredField(kind.listOf(kind.oneOf(...parts), { min: 1, unique: (part) => part }), 'What is served here.'),
  trusted_proxies: field(
    kind.listOf(kind.addressRange()),
    [],
    'Proxies whose X-Forwarded-For and X-Forwarded-Proto count.',
  ),
  tls: field(
    kind.nullable(
      object({
        certificate: requiredField(kind.existingFile(), 'PEM file with the certificate and the chain.'),
        private_key: requiredField(kind.existingFile(), 'PEM file with the private key.'),
      }),
    ),
    null,
    'null: plain HTTP.',
  ),
});

const supportContact = object(
  {
    role: requiredField(
      kind.text('a role: m.role.admin, m.role.security or a namespaced one', (value) =>
        /^[a-z][a-z0-9_.-]+$/.test(value) ? value : undefined,
      ),
      'What the contact is for.',
    ),
    matrix_id: field(
      kind.nullable(kind.text('a user id', (value) => (isUserId(value) ? value : undefined))),
      null,
      'A Matrix user, best on another server.',
    ),
    email_address: field(
      kind.nullable(kind.text('an e-mail address', (value) => (/^\S+@\S+$/.test(value) ? value : undefined))),
      null,
      'An e-mail address.',
    ),
  },
  (value, mistake) => {
    if (value.matrixId === undefined && value.emailAddress === undefined)
      mistake('matrix_id', 'or email_address is needed');
  },
);

const roomVersions = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'] as const;
const listenerDefault = { bind: '127.0.0.1', port: 8008, serve: parts };

export const configFields = {
  server_name: field(
    kind.serverName(),
    'localhost',
    'The name of this server: what stands behind the colon in @user:example.org. It is kept in the database and can never change.',
  ),
  public_base_url: field(
    kind.nullable(kind.httpUrl()),
    null,
    'Where clients reach this server. null: https://<server_name>, and for localhost the first listener that serves clients.',
    { example: 'https://matrix.example.org' },
  ),
  data_dir: field(
    kind.path(),
    './data',
    'Everything that the server writes is in this folder, unless it is told otherwise.',
  ),
  signing_key_path: field(
    kind.nullable(kind.path()),
    null,
    'The key that signs events and requests: one line "ed25519 a_abcd <unpadded Base64 seed>". Made when it is not there. null: signing.key in data_dir.',
  ),
  old_signing_keys: field(kind.listOf(oldSigningKey), [], 'Keys that signed events in the past and sign no longer.', {
    example: [
      {
        key_id: 'ed25519:a_abcd',
        public_key: 'XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI',
        expired_ts: 1_700_000_000_000,
      },
    ],
  }),
  listeners: field(
    kind.listOf(listener, { min: 1, unique: ({ bind, port }) => (port === 0 ? undefined : `${bind} ${port}`) }),
    [listenerDefault],
    'Where the server listens. serve: client is / and /_matrix/client, /_matrix/push, /_matrix/static and the well-known paths; media is /_matrix/media, /_matrix/media_proxy and /_matrix/client/v1/media; ' +
      'federation is /_matrix/federation, /_matrix/key and /.well-known/matrix/server; admin is /_synapse and /_veche; health is /health; metrics is /metrics. ' +
      "bind may be '::'. trusted_proxies: addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto count.",
    {
      example: [
        {
          bind: '0.0.0.0',
          port: 8448,
          serve: ['federation'],
          tls: { certificate: 'cert.pem', private_key: 'key.pem' },
        },
      ],
    },
  ),
  database: section(
    'Where everything but media is kept.',
    {
      engine: field(kind.oneOf('sqlite', 'postgres'), 'sqlite', 'sqlite is one file in data_dir.'),
      url: secretField(
        kind.nullable(
          kind.secretText((value) =>
            /^postgres(ql)?:\/\//.test(value) ? undefined : 'must begin with postgres:// or postgresql://',
          ),
        ),
        'For postgres.',
        { example: 'postgres://veche:password@localhost/veche' },
      ),
    },
    (value, mistake) => {
      if (value.engine === 'postgres' && value.url === undefined) mistake('url', 'is needed when engine is postgres');
      if (value.engine === 'sqlite' && value.url !== undefined) mistake('url', 'is for engine postgres only');
    },
  ),
  registration: section('Who may make accounts.', {
    enabled: reloadable(field(kind.boolean(), false, 'Whether people may register by themselves.')),
    allow_guests: reloadable(
      field(
        kind.boolean(),
        false,
        'Whether anybody may be a guest: an account without a name or password, which enters only rooms that let guests in.',
      ),
    ),
    require_token: reloadable(
      field(kind.boolean(), false, 'Whether they need a registration token from an administrator.'),
    ),
    email: reloadable(
      field(
        kind.oneOf('off', 'optional', 'required'),
        'optional',
        'Whether they confirm an e-mail address; without a mail server (email.smtp) nobody does.',
      ),
    ),
    terms: termsField,
    shared_secret: secretField(
      kind.nullable(kind.secretText()),
      'Lets programs that know it make accounts, at /_synapse/admin/v1/register.',
    ),
  }),
  account_validity: section('Accounts that must be renewed from time to time.', {
    period_days: field(
      kind.nullable(kind.integer(1, 36_500)),
      null,
      'For how long a new account, and one that is renewed, can be used. null: for ever. Accounts from before do not expire by themselves, administrators never.',
    ),
    remind_days: field(
      kind.integer(1, 365),
      14,
      'How long before that its owner is sent a message with a link that renews it.',
    ),
  }),
  password: section('Passwords.', {
    minimum_length: reloadable(field(kind.integer(1, 512), 8, 'In characters.')),
    argon2: section('The cost of an argon2id hash.', {
      memory_kib: field(kind.integer(8, 4_194_304), 19_456, 'Memory in KiB.'),
      passes: field(kind.integer(1, 1_000), 2, 'Passes over it.'),
    }),
  }),
  email: emailSection,
  rate_limits: reloadable(rateLimitsSection),
  presence: section('Who is online.', {
    enabled: field(kind.boolean(), true, 'false: nobody sees anyone online; saves work on large servers.'),
  }),
  user_directory: section('Finding people.', {
    all_local_users: field(
      kind.boolean(),
      false,
      'Whether everybody finds all users of this server, and not only those who share a room with them or are in a room that is open to all.',
    ),
  }),
  search: section('Full-text search of messages that are not encrypted.', {
    enabled: field(
      kind.boolean(),
      true,
      'false: nothing is indexed any more, and searches are refused. Switched on again, what came meanwhile is indexed first.',
    ),
  }),
  media: mediaSection,
  groups: reloadable(
    field(
      kind.recordOf(groupName, kind.listOf(userPattern)),
      {},
      'Groups of users, by patterns of their ids in which * and ? stand for anything.',
      { example: { teachers: ['@t-*:example.org'], pupils: ['@p-*:example.org', '@guest-pupil:example.org'] } },
    ),
  ),
  federation: federationSection,
  outgoing: section(
    'Requests to everything but other Matrix servers: push gateways, previews of links, identity providers.',
    {
      allow_private_addresses: field(kind.listOf(kind.addressRange()), [], privateAddresses),
      blocked_addresses: field(
        kind.listOf(kind.addressRange()),
        [],
        'Ranges that may not be reached although they are public, such as those of an institution behind its own firewall.',
        { example: ['198.18.0.0/15'] },
      ),
    },
  ),
  url_previews: urlPreviewsSection,
  push: section('Notifications to devices that are not connected.', {
    include_content: field(
      kind.boolean(),
      true,
      'Whether push gateways are told what is in an event, its sender and the name of its room. false: only which event it is, whatever clients ask for.',
    ),
    allow_insecure_gateways: field(
      kind.boolean(),
      false,
      'Whether clients may name push gateways without TLS. For isolated networks and tests. Their addresses count as in outgoing.',
    ),
    email_delay_seconds: field(
      kind.integer(1, 86_400),
      600,
      'How long nothing new must have come before somebody who wants notifications by e-mail gets one that tells all that is unread. Needs a mail server (email.smtp).',
    ),
    email_interval_seconds: field(
      kind.integer(1, 86_400),
      3_600,
      'The shortest time between two such messages. It doubles, up to half a day, as long as nothing is read.',
    ),
    gateway_hosts: field(
      kind.listOf(kind.nonEmpty('a host name')),
      [],
      'This server is a push gateway for its own users. Hosts of push services to which it also forwards what other Matrix servers hand over.',
      { example: ['push.example.org'] },
    ),
  }),
  application_services: field(
    kind.listOf(kind.existingFile()),
    [],
    'Registration files of application services (bridges).',
    {
      example: ['./bridge-registration.yaml'],
    },
  ),
  server_notices: section('Messages of the administrators to users.', {
    localpart: field(
      kind.text('a local part of a user id', (value) => (isStrictLocalpart(value) ? value : undefined)),
      '_server',
      'The user that sends them.',
    ),
    display_name: field(kind.nonEmpty(), 'Server', 'Of that user.'),
    avatar_url: field(
      kind.nullable(kind.text('an mxc URI', (value) => (value.startsWith('mxc://') ? value : undefined))),
      null,
      'Of that user.',
    ),
    room_name: field(kind.nonEmpty(), 'Server notices', 'Of the room that each user has for them.'),
  }),
  support: section('Answered at /.well-known/matrix/support.', {
    contacts: field(kind.listOf(supportContact), [], 'Whom to turn to.', {
      example: [{ role: 'm.role.admin', matrix_id: '@admin:example.com', email_address: 'admin@example.org' }],
    }),
    support_page: field(kind.nullable(kind.nonEmpty('a URL')), null, 'A page that helps.'),
  }),
  policy_server: section(
    'Answered at /.well-known/matrix/policy_server.',
    {
      public_keys: field(
        kind.recordOf(kind.nonEmpty('an algorithm'), base64('a public key')),
        {},
        'By algorithm; ed25519 must be among them.',
        { example: { ed25519: '6yhHGKhCiXTSEN2ksjV7kX_N6rBQZ3Xb-M7LlC6NS-s' } },
      ),
    },
    ({ publicKeys }, mistake) => {
      if (publicKeys['ed25519'] === undefined && Object.keys(publicKeys).length > 0)
        mistake('public_keys', 'must have ed25519');
    },
  ),
  rooms: section('New rooms.', {
    default_version: field(kind.oneOf(...roomVersions), '12', 'The room version where none is asked for. In quotes.'),
    encrypt_by_default: field(
      kind.oneOf('all', 'private', 'off'),
      'private',
      'Which new rooms are end-to-end encrypted where their creator says nothing of it: those of the private presets, all, or none.',
    ),
  }),
  delayed_events: section('Events that are sent later, such as the end of a call whose caller has gone (MSC4140).', {
    delay_ms_max: field(kind.integer(1, 31_536_000_000), 86_400_000, 'The longest delay.'),
    scheduled_max: field(kind.integer(0, 1_000), 100, 'How many one user may have waiting. 0: nobody may.'),
  }),
  turn: turnSection,
  livekit: livekitSection,
  limits: limitsSection,
  log: section('What the server tells about itself, on standard output.', {
    level: reloadable(
      field(
        kind.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
        'info',
        'The least important messages that are written.',
      ),
    ),
    format: field(
      kind.oneOf('auto', 'json', 'pretty'),
      'auto',
      'auto: for people on a terminal, JSON lines otherwise.',
    ),
  }),
};

export const configSection = object(configFields, ({ registration, email, groups, federation }, mistake) => {
  if (registration.email === 'required' && email.smtp.host === undefined)
    mistake('registration', 'email: required needs a mail server in email.smtp');
  for (const entry of [...(federation.users.allow ?? []), ...federation.users.deny])
    if (!entry.startsWith('@') && !Object.hasOwn(groups, entry))
      mistake('federation', `users names the group ${entry}, which is not in groups`);
});

export type ConfigAsRead = FieldsValue<typeof configFields>;
export type ListenerConfig = ConfigAsRead['listeners'][number];
