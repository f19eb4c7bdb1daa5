import type { AuthScheme, Endpoint } from '../../src/http/endpoint.ts';
import { servedOperations } from '../../src/http/served-operations.ts';
import { correctedOperations, type Operation } from '../../src/matrix/api/corrections.ts';
import { operationName } from '../../src/matrix/versions/declared-versions.ts';
import { laterParts } from '../../src/matrix/versions/later-parts.ts';
import { proposedOperations } from './proposed-operations.ts';

/** The APIs that this server serves; identity servers and application services are others. */
const servedApis: ReadonlySet<Operation['api']> = new Set(['client-server', 'server-server', 'push-gateway']);
const ourOperations = correctedOperations.filter(({ api }) => servedApis.has(api));

/** One line per operation that no endpoint serves: `api method path operationId: the part that brings it`. */
export function unservedOperations<Domain>(endpoints: readonly Endpoint<Domain>[]): readonly string[] {
  const served = servedOperations(endpoints);
  return ourOperations
    .filter((operation) => !served.has(operationName(operation)))
    .map((operation) => {
      const { api, method, path, operationId } = operation;
      return `${api} ${method} ${path} ${operationId}: ${partOf(operation)}`;
    });
}

function partOf(operation: Operation): string {
  if (operation.api === 'server-server') return 'only asked, of policy servers';
  return laterParts[operationName(operation)] ?? 'what clients call';
}

/** One sentence for each endpoint that is not as the specification has it. */
export function mismatches<Domain>(endpoints: readonly Endpoint<Domain>[]): readonly string[] {
  return endpoints
    .filter(({ path, operationId }) => isSpecified(path) && !proposedOperations.has(operationId))
    .flatMap((endpoint) =>
      [endpoint.operationId, ...(endpoint.alsoOperationIds ?? [])].map((operationId) => ({ ...endpoint, operationId })),
    )
    .flatMap(mismatchOf);
}

/** Stable paths of accepted proposals that v1.19 does not have yet: MSC4186. */
const aheadOfSpecification: ReadonlySet<string> = new Set(['/_matrix/client/v4/sync']);

/** Of earlier specifications, as old servers still ask. */
const behindSpecification: ReadonlySet<string> = new Set([
  '/_matrix/federation/v1/send_join/{roomId}/{eventId}',
  '/_matrix/federation/v1/send_leave/{roomId}/{eventId}',
]);

/** Paths of the specification; unstable prefixes and what LiveKit's clients ask are left out. */
function isSpecified(path: string): boolean {
  if (aheadOfSpecification.has(path) || behindSpecification.has(path)) return false;
  return /^\/(_matrix|\.well-known\/matrix)\//.test(path) && !/^\/_matrix\/(livekit|\w+\/unstable)\//.test(path);
}

function mismatchOf<Domain>({ operationId, method, path, auth }: Endpoint<Domain>): readonly string[] {
  const named = ourOperations.filter((operation) => operation.operationId === operationId);
  const operation = named.find((candidate) => candidate.method === method && candidate.path === path);
  if (operation !== undefined)
    return authsOf(operation).includes(auth)
      ? []
      : [`${operationId} has the authentication ${auth}, the specification ${operation.auth}`];
  const there = ourOperations.find((candidate) => candidate.method === method && candidate.path === path);
  if (there !== undefined)
    return [`${method} ${path} is called ${operationId}, the specification says ${there.operationId}`];
  const places = named.map((candidate) => `${candidate.method} ${candidate.path}`).join(' or ');
  if (named.length > 0) return [`${operationId} is served at ${method} ${path}, the specification has it at ${places}`];
  return [`the specification knows no operation ${operationId} and nothing at ${method} ${path}`];
}

/** The schemes of ours that keep to the specification's. Administrators, too, come with an access token. */
function authsOf({ auth, operationId }: Operation): readonly AuthScheme[] {
  switch (auth) {
    case 'none':
      return ['none'];
    case 'accessToken':
      return ['accessToken', 'adminAccessToken'];
    case 'accessToken?':
      return tokenMayBeIgnored.has(operationId) ? ['optionalAccessToken', 'none'] : ['optionalAccessToken'];
    case 'signedRequest':
      return ['serverSignature'];
    case 'appserviceAccessToken':
      return ['accessToken'];
    case 'homeserverAccessToken':
      return [];
  }
}

/** A token changes nothing here unless the server wants it to, so it need not be looked at. */
const tokenMayBeIgnored: ReadonlySet<string> = new Set(['getVersions']);
