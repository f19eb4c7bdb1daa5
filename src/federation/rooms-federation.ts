/** What this server and others do in rooms together: made when rooms are there. */
import type { Logger } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Timers } from '../platform/ports.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Typing } from '../rooms/typing.ts';
import type { Federation } from './index.ts';
import { createReceiving, type Receiving } from './receive/index.ts';
import type { PresenceReceiver } from './receive/ports.ts';
import { createRemoteRooms, type RemoteRooms } from './remote-rooms.ts';

export interface RoomsFederationParts {
  readonly federation: Federation;
  readonly rooms: RoomsContext;
  readonly typing: Typing;
  readonly presence: PresenceReceiver;
  readonly timers: Timers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly onFailed: (error: unknown) => void;
}

export interface RoomsFederation {
  readonly remoteRooms: RemoteRooms;
  readonly receiving: Receiving;
  /** Goes on with what was under way when the server ended. To be called once, before anybody is served. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createRoomsFederation(parts: RoomsFederationParts): RoomsFederation {
  const { federation, log } = parts;
  const remoteRooms = createRemoteRooms(federation.client);
  const receiving = createReceiving({
    ...parts,
    remoteRooms,
    verifier: federation.verifier,
    onNotice: (message, details) => log.warn(details, message),
  });
  return { remoteRooms, receiving, start: () => receiving.resume(), close: () => receiving.close() };
}
