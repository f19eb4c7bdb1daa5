/** GET /.well-known/matrix/support. https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport */
import { notFound } from '../../matrix/errors.ts';
import { defineEndpoint } from '../endpoint.ts';
import type { WellKnownDomain } from './well-known-settings.ts';

export const getWellknownSupport = defineEndpoint({
  operationId: 'getWellknownSupport',
  method: 'GET',
  path: '/.well-known/matrix/support',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { wellKnown: { support } }: WellKnownDomain) => {
    if (support.contacts.length === 0 && support.supportPage === undefined)
      throw notFound('This server names no support');
    return {
      json: {
        // The list must not be there when it is empty.
        contacts:
          support.contacts.length === 0
            ? undefined
            : support.contacts.map(({ role, matrixId, emailAddress }) => ({
                role,
                matrix_id: matrixId,
                email_address: emailAddress,
              })),
        support_page: support.supportPage,
      },
    };
  },
});
