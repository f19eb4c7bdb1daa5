import { correctedOperations, type Operation } from '../api/corrections.ts';
import { notCounted } from './not-counted.ts';

/** `server-server getEventByTimestamp`: operationIds alone mean different operations in different APIs. */
export type OperationName = `${Operation['api']} ${string}`;

export const operationName = ({ api, operationId }: Pick<Operation, 'api' | 'operationId'>): OperationName =>
  `${api} ${operationId}`;

/**
 * The versions for `GET /_matrix/client/versions`. v1.1 always, because clients refuse a server without it. A later one when
 * every operation is served that was added after v1.1 and up to it, those of not-counted.ts aside; so the versions have no
 * gaps. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions
 */
export function declaredVersions(served: ReadonlySet<OperationName>): readonly string[] {
  const first = laterVersions.findIndex((minor) => missingFor(minor, served).length > 0);
  const complete = first === -1 ? laterVersions : laterVersions.slice(0, first);
  return ['v1.1', ...complete.map((minor) => `v1.${minor}`)];
}

/** What keeps a version from being declared: the operations added in v1.`minor` that count and are not served. */
export function missingFor(minor: number, served: ReadonlySet<OperationName>): readonly OperationName[] {
  return addedIn(minor)
    .map(operationName)
    .filter((name) => !Object.hasOwn(notCounted, name) && !served.has(name));
}

/** What a declared version does not have all the same: operations that do not count and are not served. */
export function lackingIn(minor: number, served: ReadonlySet<OperationName>): readonly OperationName[] {
  return addedIn(minor)
    .map(operationName)
    .filter((name) => Object.hasOwn(notCounted, name) && !served.has(name));
}

const addedIn = (minor: number): readonly Operation[] =>
  correctedOperations.filter((operation) => operation.addedIn === `1.${minor}`);

/** The minor version of the definitions is the last that can be declared; versions that added no operation count too. */
const latestMinor = 19;
export const laterVersions: readonly number[] = Array.from({ length: latestMinor - 1 }, (_, index) => index + 2);
