/** GET /_matrix/client/versions. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions */
import { defineEndpoint } from '../../endpoint.ts';

export interface VersionsDomain {
  readonly versions: {
    /** Such as v1.1: those of which we serve every operation. */
    readonly specificationVersions: readonly string[];
    readonly unstableFeatures: Readonly<Record<string, boolean>>;
  };
}

export const getVersions = defineEndpoint({
  operationId: 'getVersions',
  method: 'GET',
  path: '/_matrix/client/versions',
  // Nothing depends on who asks, so a token is not looked at: clients ask with expired ones too.
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { versions }: VersionsDomain) => ({
    json: { versions: versions.specificationVersions, unstable_features: versions.unstableFeatures },
  }),
});
