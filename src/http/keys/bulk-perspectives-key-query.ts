/** POST /_matrix/key/v2/query. https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query */
import { invalidParam } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { isServerName } from '../../matrix/ids/server-name.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { integer, object, optional, recordOf } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';
import type { NotaryDomain } from './notary-domain.ts';

const criteria = object({ minimum_valid_until_ts: optional(integer({ min: 0 })) });

export const bulkPerspectivesKeyQuery = defineEndpoint({
  operationId: 'bulkPerspectivesKeyQuery',
  method: 'POST',
  path: '/_matrix/key/v2/query',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: {},
  body: object({ server_keys: recordOf(recordOf(criteria)) }),
  async handle({ body }, { federation, clock }: NotaryDomain) {
    const wanted = new Map<ServerName, number>();
    for (const [server, keys] of Object.entries(body.server_keys)) {
      if (!isServerName(server)) throw invalidParam('body.server_keys has a key that is no server name');
      const times = Object.values(keys).map(({ minimum_valid_until_ts: ts }) => ts ?? clock.nowMs());
      wanted.set(server, times.length === 0 ? clock.nowMs() : Math.max(...times));
    }
    return { json: legacyCanonicalJson({ server_keys: await federation.notary.answer(wanted) }) };
  },
});
