import { correctedOperations } from '../matrix/api/corrections.ts';
import { operationName, type OperationName } from '../matrix/versions/declared-versions.ts';
import type { Endpoint } from './endpoint.ts';

/** The specification's operations that the endpoints serve, for `declaredVersions`. Our own endpoints are none of them. */
export function servedOperations<Domain>(endpoints: readonly Endpoint<Domain>[]): ReadonlySet<OperationName> {
  const routes = new Set(
    endpoints.flatMap(({ method, path, operationId, alsoOperationIds = [] }) =>
      [operationId, ...alsoOperationIds].map((id) => `${method} ${path} ${id}`),
    ),
  );
  return new Set(
    correctedOperations
      .filter(({ method, path, operationId }) => routes.has(`${method} ${path} ${operationId}`))
      .map(operationName),
  );
}
