import { correctedOperations, type Operation } from '../api/corrections.ts';
import { laterParts } from './later-parts.ts';

/** `server-server getEventByTimestamp`: operationIds alone mean different operations in different APIs. */
export type OperationName = `${Operation['api']} ${string}`;

export const operationName = ({ api, operationId }: Pick<Operation, 'api' | 'operationId'>): OperationName =>
  `${api} ${operationId}`;

/**
 * The versions for `GET /_matrix/client/versions`. v1.1 always, because clients refuse a server without it. A later one when
 * every operation of the Client-Server API is served that was there by then, those of later-parts.ts aside; so the versions
 * have no gaps. r0.6.1 only when nothing that it had is missing: whoever asks for it knows no other paths.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions
 */
export function declaredVersions(served: ReadonlySet<OperationName>): readonly string[] {
  const isMissing = (operation: Operation): boolean => !served.has(operationName(operation));
  const oldest = operationsAddedIn(0).some(isMissing) ? [] : ['r0.6.1'];
  const first = laterMinors.findIndex((minor) => missingUpTo(minor, served).length > 0);
  const complete = first === -1 ? laterMinors : laterMinors.slice(0, first);
  return [...oldest, 'v1.1', ...complete.map((minor) => `v1.${minor}`)];
}

/** What keeps v1.`minor` from being declared: the operations up to it that are not served and do not come in a later part. */
export function missingUpTo(minor: number, served: ReadonlySet<OperationName>): readonly OperationName[] {
  return Array.from({ length: minor + 1 }, (_, each) => operationsAddedIn(each))
    .flat()
    .map(operationName)
    .filter((name) => !Object.hasOwn(laterParts, name) && !served.has(name));
}

/** 0: those that were there before v1.1, at paths with r0. */
const operationsAddedIn = (minor: number): readonly Operation[] => {
  const version = minor === 0 ? null : `1.${minor}`;
  return correctedOperations.filter(({ api, addedIn }) => api === 'client-server' && addedIn === version);
};

/** The minor version of the definitions is the last that can be declared; versions that added no operation count too. */
const latestMinor = 19;
const laterMinors: readonly number[] = Array.from({ length: latestMinor - 1 }, (_, index) => index + 2);
