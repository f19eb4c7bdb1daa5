/** Calls: TURN servers for those between two, LiveKit for those of many. */
import { serverPattern } from './federation-section.ts';
import * as kind from './kinds.ts';
import { field, secretField, section } from './sections.ts';

const turnUri = kind.text('a TURN URI, such as turn:turn.example.org:3478?transport=udp', (value) =>
  /^(turns?|stuns?):[^\s]+$/.test(value) ? value : undefined,
);

export const turnSection = section(
  'TURN servers, through which calls between two find their way.',
  {
    uris: field(kind.listOf(turnUri), [], 'Such as turn:turn.example.org:3478?transport=udp. An empty list: none.'),
    shared_secret: secretField(
      kind.nullable(kind.secretText()),
      'As in the TURN server (coturn: static-auth-secret). Users get passwords of their own that expire.',
    ),
    username: field(kind.nullable(kind.nonEmpty('a user name')), null, 'The same for all users, instead of a secret.'),
    password: secretField(kind.nullable(kind.secretText()), 'Of that user name.'),
    ttl_seconds: field(kind.integer(60, 2_592_000), 86_400, 'How long a user can use what they were given.'),
    allow_guests: field(kind.boolean(), true, 'Whether guests are given them, too.'),
  },
  (value, mistake) => {
    const isStatic = value.username !== undefined || value.password !== undefined;
    if (value.uris.length === 0) return;
    if (value.sharedSecret === undefined && (value.username === undefined || value.password === undefined))
      mistake('uris', 'need shared_secret, or username and password');
    if (value.sharedSecret !== undefined && isStatic) mistake('shared_secret', 'stands without username and password');
  },
);

const socketUrl = kind.text('a ws or wss URL', (value) =>
  /^wss?:$/.test(URL.parse(value)?.protocol ?? '') ? value.replace(/\/+$/, '') : undefined,
);

export const livekitSection = section(
  'LiveKit, which carries calls of many (MatrixRTC). Nothing else has to run beside it: this server gives out its tokens. ' +
    'LiveKit should have room.auto_create: false, and a webhook to <service_url>/sfu_webhook with the same api_key.',
  {
    url: field(
      kind.nullable(socketUrl),
      null,
      'Where clients reach LiveKit, such as wss://livekit.example.org. null: there is none.',
    ),
    api_key: field(kind.nullable(kind.nonEmpty('an API key')), null, 'As in the keys of LiveKit.'),
    api_secret: secretField(kind.nullable(kind.secretText()), 'Of that key.'),
    api_url: field(
      kind.nullable(kind.httpUrl()),
      null,
      'Where this server reaches LiveKit; a private address has to be in outgoing.allow_private_addresses. null: as url, with http.',
    ),
    service_url: field(
      kind.nullable(kind.httpUrl()),
      null,
      'Where clients ask for tokens. null: <public_base_url>/_matrix/livekit/jwt.',
    ),
    other_services: field(
      kind.listOf(kind.httpUrl()),
      [],
      'Services elsewhere that give out tokens for a LiveKit of their own; told to clients after ours.',
    ),
    allowed_servers: field(
      kind.listOf(serverPattern),
      [],
      'Other servers whose users get tokens for our LiveKit, in calls of rooms that they are in: patterns such as *.example.org. They are asked who it is.',
      { example: ['partner.example.org', '*.gov.example'] },
    ),
  },
  (value, mistake) => {
    if (value.url === undefined) return;
    if (value.apiKey === undefined) mistake('api_key', 'is needed with url');
    if (value.apiSecret === undefined) mistake('api_secret', 'is needed with url');
  },
);
