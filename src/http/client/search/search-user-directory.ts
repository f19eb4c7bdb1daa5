/** POST /_matrix/client/v3/user_directory/search — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch */
import { limits } from '../../../platform/limits.ts';
import type { Search } from '../../../search/index.ts';
import { integer, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const searchUserDirectory = defineEndpoint({
  operationId: 'searchUserDirectory',
  method: 'POST',
  path: '/_matrix/client/v3/user_directory/search',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  body: object({
    search_term: string({ maxBytes: limits.userSearchTermBytesMax }),
    limit: optional(integer({ min: 1 })),
  }),
  async handle({ body, requester }, { search }: { search: Pick<Search, 'users'> }) {
    return { json: await search.users(requester, { term: body.search_term, limit: body.limit }) };
  },
});
