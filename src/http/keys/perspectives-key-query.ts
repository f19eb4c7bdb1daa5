/** GET /_matrix/key/v2/query/{serverName}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2queryservername */
import { isServerName } from '../../matrix/ids/server-name.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { optional, parsed, queryInteger } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import type { NotaryDomain } from './notary-domain.ts';

export const perspectivesKeyQuery = defineEndpoint({
  operationId: 'perspectivesKeyQuery',
  method: 'GET',
  path: '/_matrix/key/v2/query/{serverName}',
  auth: 'none',
  rateLimit: 'read',
  params: { serverName: parsed('a server name', (text) => (isServerName(text) ? text : undefined)) },
  query: { minimum_valid_until_ts: optional(queryInteger({ min: 0 })) },
  async handle({ params, query }, { federation, clock }: NotaryDomain) {
    const validUntilTs = query.minimum_valid_until_ts ?? clock.nowMs();
    const answers = await federation.notary.answer(new Map([[params.serverName, validUntilTs]]));
    return { json: legacyCanonicalJson({ server_keys: answers }) };
  },
});
