/**
 * Where the definitions say something else than the specification's text, or nothing that a program can use. Whoever needs
 * the operations takes them from here. spec/matrix/api/corrections.spec.ts tells when a correction is no longer needed.
 */
import { operations, type Operation } from './operations.ts';

export interface Correction {
  readonly api: Operation['api'];
  readonly operationId: string;
  readonly change: Partial<Pick<Operation, 'auth' | 'path' | 'addedIn'>>;
  readonly reason: string;
}

export const corrections: readonly Correction[] = [
  {
    api: 'client-server',
    operationId: 'getRoomSummary',
    change: { auth: 'accessToken?' },
    reason: 'A client calls it, and servers may answer without a token; only servers sign requests.',
  },
  {
    api: 'server-server',
    operationId: 'getEventByTimestamp',
    change: { auth: 'signedRequest' },
    reason: 'A server calls it; servers have no access tokens.',
  },
  {
    api: 'client-server',
    operationId: 'peekEvents',
    change: { path: '/_matrix/client/v3/events' },
    reason: 'The second operation on the path of getEvents, told apart by a space that is not meant.',
  },
  {
    api: 'client-server',
    operationId: 'inviteUser',
    change: { path: '/_matrix/client/v3/rooms/{roomId}/invite' },
    reason: 'The second operation on the path of inviteBy3PID, told apart by a space that is not meant.',
  },
  {
    api: 'client-server',
    operationId: 'getAuthMetadata',
    change: { addedIn: '1.15' },
    reason: 'The definition does not say which version added it; the text and the changelog do.',
  },
  {
    api: 'client-server',
    operationId: 'getMutualRooms',
    change: { addedIn: '1.19' },
    reason: 'The definition does not say which version added it; the text does.',
  },
  ...['getRelatingEvents', 'getRelatingEventsWithRelType', 'getRelatingEventsWithRelTypeAndEventType'].map(
    (operationId): Correction => ({
      api: 'client-server',
      operationId,
      change: { addedIn: '1.3' },
      reason: 'The definition does not say which version added it; the changelog does.',
    }),
  ),
];

export type { Operation } from './operations.ts';
export const correctedOperations: readonly Operation[] = operations.map((operation) => {
  const correction = corrections.find(
    ({ api, operationId }) => api === operation.api && operationId === operation.operationId,
  );
  return correction === undefined ? operation : { ...operation, ...correction.change };
});
