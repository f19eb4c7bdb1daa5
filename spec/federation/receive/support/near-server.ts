/** The server under test: real rooms over a real database, which receives what others send. */
import { createHistory, type History } from '../../../../src/federation/history/index.ts';
import { createReceiving, type Receiving } from '../../../../src/federation/receive/index.ts';
import type { ThreadedVerifier } from '../../../../src/federation/verify/threaded-verifier.ts';
import type { RemoteRooms } from '../../../../src/federation/remote-rooms.ts';
import type { EventId, ServerName } from '../../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import { Metrics } from '../../../../src/platform/metrics.ts';
import { RemoteHistoryToCome } from '../../../../src/rooms/no-remote-history.ts';
import { receiveEvent } from '../../../../src/rooms/receive-event.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { stagedPdusOf } from '../../../../src/storage/stores/staged-pdu-store.ts';
import type { Ports } from '../../../../src/platform/ports.ts';
import { extremitiesOf } from '../../../../src/storage/stores/room-graph-store.ts';
import { type TestPorts, testPorts } from '../../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../../support/test-rooms.ts';
import { type FarEvent, type FarRoom, far, near, signedBody, testVerifier } from './far-room.ts';

export interface NearOptions {
  readonly ports?: TestPorts;
  /** Instead of them, where nothing waits for time to pass. */
  readonly realPorts?: Ports;
  readonly remoteRooms?: RemoteRooms;
  /** What is missing is asked for when somebody comes to read it. */
  readonly fetchesHistory?: boolean;
}

export class NearServer {
  readonly db: Database;
  readonly ports: TestPorts;
  readonly test: TestRooms;
  readonly metrics = new Metrics({ process: false });
  readonly receiving: Receiving;
  readonly history: History;
  readonly failures: unknown[] = [];
  readonly notices: string[] = [];
  readonly #verifier: ThreadedVerifier;
  #transactions = 0;

  constructor(db: Database, room: FarRoom, options: NearOptions = {}) {
    this.db = db;
    this.ports = options.ports ?? testPorts(1);
    const ports = options.realPorts ?? this.ports;
    const remoteHistory = new RemoteHistoryToCome();
    this.test = new TestRooms(db, ports, { serverNames: [near], hasPresence: true, remoteHistory });
    this.#verifier = testVerifier(ports.workers);
    this.receiving = createReceiving({
      rooms: this.test.ctx,
      typing: this.test.rooms.typing,
      presence: this.test.presence,
      remoteRooms: options.remoteRooms ?? room.remoteRooms(),
      verifier: this.#verifier,
      timers: ports.timers,
      metrics: this.metrics,
      onFailed: (error) => this.failures.push(error),
      onNotice: (message) => this.notices.push(message),
    });
    this.history = createHistory({
      ...ports,
      rooms: this.test.ctx,
      receiving: this.receiving,
      remoteRooms: options.remoteRooms ?? room.remoteRooms(),
      onFailed: (error) => this.failures.push(error),
    });
    if (options.fetchesHistory === true) remoteHistory.isHere(this.history);
  }

  bob(): Promise<TestUser> {
    return this.test.user('bob', near);
  }

  /** As a join brings it: the join, and the state before it. */
  async joinWith(room: FarRoom, join: FarEvent): Promise<void> {
    const { ctx } = this.test;
    const state = [...join.before.values()];
    const dag = await ctx.dags.adopt(room.roomId, room.rules.version);
    await ctx.locks.run(room.roomId, async () => {
      for (const one of room.order)
        if (one.event.stateKey !== undefined && one !== join) await dag.outlier(one.event, one.body);
      const given = new Map(join.event.prevEvents.map((eventId) => [eventId, state]));
      const { ticket } = await receiveEvent(ctx, dag, join, { given });
      await ticket?.committed;
    });
  }

  /** As a join brings it: everything that the room has by now. */
  async take(room: FarRoom): Promise<void> {
    const { ctx } = this.test;
    await ctx.dags.adopt(room.roomId, room.rules.version);
    for (const one of room.order)
      await ctx.locks.run(room.roomId, async () => {
        const { ticket } = await receiveEvent(ctx, await ctx.dags.open(room.roomId), one);
        await ticket?.committed;
      });
  }

  /** What the PDUs are answered with: null where there is no error. */
  async send(
    pdus: readonly { readonly pdu: JsonObject }[],
    options: { readonly origin?: ServerName; readonly txnId?: string; readonly edus?: readonly JsonObject[] } = {},
  ): Promise<Record<EventId, string | null>> {
    const { origin = far, txnId = `txn${++this.#transactions}`, edus = [] } = options;
    const content = { pdus: pdus.map(({ pdu }) => pdu), edus };
    const body = signedBody(origin, txnId, content);
    const answer = JSON.parse(await this.receiving.receiveTransaction({ txnId, body })) as {
      pdus: Record<EventId, { error?: string }>;
    };
    return Object.fromEntries(Object.entries(answer.pdus).map(([id, { error }]) => [id, error ?? null]));
  }

  /** Runs until nothing is being done for rooms. */
  async settled(): Promise<void> {
    await this.ports.until(() => this.receiving.workers.running === 0);
  }

  /** Bodies of the messages that bob reads, oldest first. */
  async messages(room: FarRoom): Promise<string[]> {
    const { chunk } = await this.test.history(await this.bob(), room.roomId, { limit: 1_000 });
    const texts = chunk.filter((event) => event.type === 'm.room.message').map((event) => event.content['body']);
    return texts.map((text) => (typeof text === 'string' ? text : '(redacted)')).toReversed();
  }

  async extremities(room: FarRoom): Promise<EventId[]> {
    const dag = await this.test.ctx.dags.open(room.roomId);
    return (await this.db.all(extremitiesOf, { room: dag.room })).map((row) => row.event_id as EventId);
  }

  async staged(room: FarRoom): Promise<string[]> {
    const dag = await this.test.ctx.dags.open(room.roomId);
    return (await this.db.all(stagedPdusOf, { room: dag.room, limit: 1_000 })).map((row) => row.event_id);
  }

  async close(): Promise<void> {
    await this.receiving.close();
    await this.#verifier.close();
    await this.test.sync.close();
    this.test.inboxes.close();
    this.test.keyCounts.close();
    this.test.rooms.close();
    this.test.erasedUsers.close();
    await this.test.presence.close();
  }
}
