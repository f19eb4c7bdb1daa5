/** Which servers this one talks to, and how. */
import { base64OfLength, keyIdText } from './key-kinds.ts';
import * as kind from './kinds.ts';
import { field, object, reloadable, section } from './sections.ts';

export const privateAddresses = 'Ranges that may be reached although they are private, loopback or reserved.';

export const serverPattern = kind.text('a server name, in which * and ? stand for anything', (value) =>
  /^[A-Za-z0-9.:[\]*?-]+$/.test(value) ? value : undefined,
);
const patterns = kind.listOf(serverPattern);
const directed = {
  both: field(patterns, [], 'In both directions.'),
  incoming: field(patterns, [], 'Only for requests that they make to this server.'),
  outgoing: field(patterns, [], 'Only for requests that this server makes to them.'),
};

export const userPattern = kind.text('a pattern of user ids, such as @pupil-*:example.org', (value) =>
  /^@[^\s]{1,254}$/.test(value) ? value : undefined,
);
export const groupName = kind.text('a name of small letters, digits, - and _', (value) =>
  /^[a-z0-9_-]{1,64}$/.test(value) ? value : undefined,
);
const usersOrGroup = kind.text('a group, or a pattern of user ids', (value) =>
  /^(@[^\s]{1,254}|[a-z0-9_-]{1,64})$/.test(value) ? value : undefined,
);

const usersSection = section(
  'Which users of this server may have to do with other servers; each entry is a group or a pattern of user ids. Who may not makes rooms for this server only (m.federate: false), and is in none where others are (docs/federation.md).',
  {
    allow: field(kind.nullable(kind.listOf(usersOrGroup)), null, 'The only ones who may. null: all.'),
    deny: field(kind.listOf(usersOrGroup), [], 'Those who may not, whatever allow says.'),
  },
);

const signedListSection = section(
  'A signed list of the servers of a federation, fetched from time to time: only those on it are talked to, as far as allow and deny let them (docs/federation.md).',
  {
    url: field(
      kind.nullable(kind.httpUrl()),
      null,
      'Where it is; reached as other servers are (ca_certificates, allow_private_addresses). null: there is none.',
    ),
    authorities: field(
      kind.listOf(kind.existingFile()),
      [],
      'PEM files of authorities; the certificate that the list is signed with must come from one of them.',
    ),
    signers: field(
      kind.listOf(kind.nonEmpty('a name')),
      [],
      'Common names or DNS names, one of which that certificate must have. An empty list: any certificate of the authorities will do.',
    ),
    refresh_minutes: field(kind.integer(1, 10_080), 60, 'How often it is fetched.'),
    when_expired: field(
      kind.oneOf('keep', 'refuse'),
      'keep',
      'What happens when it has expired and no newer one could be had. keep: it goes on counting, with a warning; refuse: nobody on it is talked to.',
    ),
    beside: field(patterns, [], 'Servers that count as if they were on it.'),
  },
  ({ url, authorities }, mistake) => {
    if (url !== undefined && authorities.length === 0) mistake('authorities', 'are needed with url');
  },
);

export const federationSection = section('Talking to other servers.', {
  enabled: field(
    kind.boolean(),
    true,
    'false: this server is an island. Other servers are answered with 403, and none is asked anything.',
  ),
  allow: reloadable(
    field(
      kind.nullable(object(directed)),
      null,
      'The only servers that this one talks to, by patterns such as *.example.org; by direction: both, incoming (requests that they make to this server), outgoing. null: all.',
      { example: { both: ['partner.example.org', '*.gov.example'] } },
    ),
  ),
  deny: reloadable(section('Servers that this one does not talk to, whatever allow says.', directed)),
  device_names: field(
    kind.boolean(),
    false,
    "Whether users of other servers see the names of devices, such as: Anna's telephone.",
  ),
  users: reloadable(usersSection),
  signed_list: reloadable(signedListSection),
  ca_certificates: field(
    kind.listOf(kind.existingFile()),
    [],
    'PEM files of authorities to trust beside the well-known ones.',
  ),
  verify_tls: field(kind.boolean(), true, 'false is for test networks only.'),
  allow_private_addresses: field(kind.listOf(kind.addressRange()), [], privateAddresses, {
    example: ['10.0.0.0/8', 'fd00::/8'],
  }),
  trusted_key_servers: reloadable(
    field(kind.listOf(kind.serverName()), [], 'Servers that are asked for keys of servers that cannot be reached.'),
  ),
  pinned_keys: reloadable(
    field(
      kind.recordOf(kind.serverName(), kind.recordOf(keyIdText, base64OfLength('a public key', 32))),
      {},
      'The signing keys of other servers, by key id. A server that is named here is asked for no keys, and no others count.',
      {
        example: { 'partner.example.org': { 'ed25519:a_abcd': 'XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI' } },
      },
    ),
  ),
});
