/** Everything that other servers send us. */
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Timers } from '../../platform/ports.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { Typing } from '../../rooms/typing.ts';
import type { PduVerifier, TransactionOpener } from '../contract.ts';
import type { RemoteRooms } from '../remote-rooms.ts';
import type { ReceiveContext } from './context.ts';
import { EduHandlers } from './edus/edu-handlers.ts';
import { receivePresence } from './edus/receive-presence.ts';
import { receiveReceipts } from './edus/receive-receipts.ts';
import { receiveTyping } from './edus/receive-typing.ts';
import type { HistoryOptions } from './fill-gap.ts';
import { GapFiller } from './gap-filler.ts';
import { type PlacedPdus, receivePdus } from './receive-pdus.ts';
import type { PresenceReceiver } from './ports.ts';
import { receiveCounters } from './receive-counters.ts';
import { type IncomingTransaction, TransactionReceiver } from './receive-transaction.ts';
import { ReceivedTransactions } from './received-transactions.ts';
import { RoomDoors } from './room-doors.ts';
import { RoomWorkers } from './room-workers.ts';
import { StagedPdus } from './staged-pdus.ts';

export interface ReceivingParts {
  readonly rooms: RoomsContext;
  readonly typing: Typing;
  readonly presence: PresenceReceiver;
  readonly remoteRooms: RemoteRooms;
  readonly verifier: PduVerifier & TransactionOpener;
  readonly timers: Timers;
  readonly metrics: Metrics;
  readonly onFailed: (error: unknown) => void;
  readonly onNotice: ReceiveContext['onNotice'];
}

export type Receiving = ReturnType<typeof createReceiving>;

export function createReceiving(parts: ReceivingParts) {
  const ctx: ReceiveContext = { ...parts, counters: receiveCounters(parts.metrics) };
  const { rooms, timers } = ctx;
  const doors = new RoomDoors(rooms);
  const staged = new StagedPdus(rooms);
  const gaps = new GapFiller(ctx);
  const workers = new RoomWorkers(ctx, doors, staged, gaps);
  const edus = new EduHandlers(ctx);
  edus.register('m.typing', receiveTyping(ctx, doors, parts.typing));
  edus.register('m.receipt', receiveReceipts(ctx, doors));
  edus.register('m.presence', receivePresence(parts.presence));
  const answered = new ReceivedTransactions(rooms, timers);
  const receiving = { ctx, doors, staged, workers };
  const transactions = new TransactionReceiver(receiving, parts.verifier, edus, answered);
  parts.metrics.measured(
    'veche_federation_staged_pdus',
    'Events of other servers that wait for others',
    () => staged.count,
  );
  return {
    ctx,
    /** For further types of EDUs. */
    edus,
    doors,
    workers,
    receiveTransaction: (transaction: IncomingTransaction): Promise<string> => transactions.receive(transaction),
    /** See receive-pdus.ts. */
    receivePdus: (
      origin: ServerName,
      roomId: RoomId,
      pdus: readonly JsonObject[],
      options: HistoryOptions = {},
    ): Promise<PlacedPdus> => receivePdus({ ...receiving, gaps }, origin, roomId, pdus, options),
    /** Goes on with what waited when the server ended. To be called once, before anybody is served. */
    async resume(): Promise<void> {
      for (const room of await staged.resume()) workers.wake(room);
    },
    async close(): Promise<void> {
      gaps.close();
      await workers.close();
      answered.close();
      doors.close();
    },
  };
}
