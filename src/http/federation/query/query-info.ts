/** GET /_matrix/federation/v1/query/{queryType}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryquerytype */
import { invalidParam } from '../../../matrix/errors.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

/** Those that there are have endpoints of their own. */
export const queryInfo = defineEndpoint({
  operationId: 'queryInfo',
  method: 'GET',
  path: '/_matrix/federation/v1/query/{queryType}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { queryType: string() },
  query: {},
  async handle({ params }) {
    throw invalidParam(`There are no queries of the type ${params.queryType}`);
  },
});
