/** What the parts of receiving work with. */
import type { Timers } from '../../platform/ports.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { PduVerifier } from '../contract.ts';
import type { RemoteRooms } from '../remote-rooms.ts';
import type { ReceiveCounters } from './receive-counters.ts';

export interface ReceiveContext {
  readonly rooms: RoomsContext;
  readonly remoteRooms: RemoteRooms;
  readonly verifier: PduVerifier;
  readonly timers: Timers;
  readonly counters: ReceiveCounters;
  /** Told of work in the background that failed otherwise than because of another server. */
  readonly onFailed: (error: unknown) => void;
  /** Told in one sentence of what an operator may want to know. */
  readonly onNotice: (message: string, details: Readonly<Record<string, unknown>>) => void;
}
