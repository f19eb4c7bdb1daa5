/** A server that sends: real rooms over a real database, with users of other servers in them, which are played by `Peers`. */
import { afterEach } from 'vitest';
import { createSender, type FederationSender } from '../../../../src/federation/send/index.ts';
import type { KeyContents, PresenceContents } from '../../../../src/federation/send/sender-dependencies.ts';
import { authTypesForEvent } from '../../../../src/matrix/event-auth/auth-types.ts';
import { signingKeyFromSeed } from '../../../../src/matrix/crypto/ed25519.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../../../src/matrix/ids/ids.ts';
import { Metrics } from '../../../../src/platform/metrics.ts';
import { buildEvent } from '../../../../src/rooms/build-event.ts';
import { receiveEvent } from '../../../../src/rooms/receive-event.ts';
import { createLogger, type Logger } from '../../../../src/platform/log.ts';
import type { Database } from '../../../../src/storage/database.ts';
import type { GroupCommitDatabase } from '../../../../src/storage/group-commit.ts';
import type { TestEngine } from '../../../support/databases.ts';
import { type TestPorts, testPorts } from '../../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../../support/test-rooms.ts';
import { Peers } from './peers.ts';

export interface RemoteMembership {
  readonly server: string;
  readonly membership?: string;
  readonly localpart?: string;
  /** Bits of `event.flags`. */
  readonly marks?: number;
}

export class SendingServer {
  readonly db: Database;
  readonly ports: TestPorts;
  readonly test: TestRooms;
  readonly peers: Peers;
  readonly sender: FederationSender;
  readonly failures: unknown[] = [];
  /** Stands for encryption: what it says is how it was asked. */
  readonly deviceKeys: KeyContents = {
    deviceListUpdate: async (user, { deviceId, streamId, prevId }) => ({
      user,
      device_id: deviceId,
      stream_id: streamId,
      prev_id: prevId === undefined ? [] : [prevId],
    }),
    signingKeyUpdate: async (user) => ({ user }),
  };
  readonly presences = new Map<number, { readonly presence: string }>();
  readonly metrics = new Metrics({ process: false });

  constructor(db: Database, ports: TestPorts, peers: Peers, test: TestRooms) {
    this.db = db;
    this.ports = ports;
    this.peers = peers;
    this.test = test;
    const presence: PresenceContents = {
      contentOf: (userNid) => ({ ...this.presences.get(userNid) }),
      isPresent: (userNid) => this.presences.has(userNid),
      presentUsers: (max) => [...this.presences.keys()].slice(0, max),
    };
    this.sender = createSender({
      rooms: test.ctx,
      timers: ports.timers,
      client: peers,
      health: { retryInMs: (name) => peers.backingOffMs.get(name) ?? 0 },
      typing: test.rooms.typing,
      presence,
      deviceKeys: this.deviceKeys,
      metrics: this.metrics,
      log: silentLog(ports),
      onFailed: (error) => this.failures.push(error),
    });
  }

  /** As after a restart; `db` where the database was opened anew. */
  async restarted(db = this.db, ports = this.ports): Promise<SendingServer> {
    const next = new SendingServer(db, ports, this.peers, this.test.restarted({}, db));
    await next.sender.start();
    return next;
  }

  /** A membership event of another server's user, as federation brings it. */
  async remote(
    roomId: RoomId,
    { server, membership = 'join', localpart = 'eve', marks }: RemoteMembership,
  ): Promise<UserId> {
    const { ctx } = this.test;
    const userId = `@${localpart}:${server}` as UserId;
    await ctx.locks.run(roomId, async () => {
      const dag = await ctx.dags.open(roomId);
      const draft = { type: 'm.room.member', stateKey: userId, sender: userId, content: { membership } };
      const tuples = authTypesForEvent(draft, dag.rules);
      const state = await dag.currentEvents(tuples);
      const { prevEvents, depth } = dag.frontier();
      const place = {
        roomId,
        rules: dag.rules,
        prevEvents: prevEvents.map(({ eventId }) => ({ eventId })),
        authEvents: tuples.flatMap(([type, key]) => state(type, key) ?? []).map(({ eventId }) => ({ eventId })),
        depth,
        originServerTs: ctx.clock.nowMs(),
      };
      const signer = { serverName: server as ServerName, key: signingKeyFromSeed('ed25519:a', Buffer.alloc(32, 7)) };
      const built = buildEvent(draft, place, [signer], () => '');
      const placed = await receiveEvent(ctx, dag, built, marks === undefined ? {} : { marks });
      if (!placed.verdict.ok) throw new Error(placed.verdict.reason);
      await placed.ticket?.committed;
    });
    return userId;
  }

  async roomWith(creator: TestUser, servers: readonly string[]): Promise<RoomId> {
    const roomId = await this.test.createRoom(creator);
    for (const server of servers) await this.remote(roomId, { server });
    return roomId;
  }

  /** Waits until the server took the events. */
  async untilTaken(server: string, eventIds: readonly EventId[]): Promise<void> {
    await this.ports.until(() => eventIds.every((id) => this.peers.eventsTo(server).includes(id)));
  }
  /** Waits until it is being sent something that it has not taken. */
  async untilBusy(server: string): Promise<void> {
    const busy = (): boolean =>
      this.peers.attempts.filter((one) => one.destination === server).length > this.peers.to(server).length;
    await this.ports.until(busy);
  }
  /** How many EDUs are in the database, for whomever. */
  async eduRows(): Promise<number> {
    return (await this.db.dynamic((q) => q.selectFrom('outgoing_edu').select('pos'))).length;
  }
  /** Waits until nothing is on its way. */
  async untilQuiet(): Promise<void> {
    await this.db.drained();
    await this.ports.until(() => this.sender.isQuiet());
  }
}

/** Puts something between the server and its database. */
type Watch = (db: Database) => Database;

export function useSending(engine: TestEngine): {
  start(options?: { readonly reopenable?: boolean; readonly watch?: Watch }): Promise<SendingServer>;
  follow(server: SendingServer): SendingServer;
  /** The server ends in the middle of what it does, and another one starts over the same data. It was started as reopenable. */
  killed(server: SendingServer): Promise<SendingServer>;
} {
  const servers: SendingServer[] = [];
  const opened = new WeakMap<SendingServer, GroupCommitDatabase>();
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.peers.release();
      await server.sender.close();
      if (server.failures.length > 0) throw server.failures[0];
    }
  });
  const follow = (server: SendingServer): SendingServer => {
    servers.push(server);
    return server;
  };
  return {
    follow,
    async killed(server) {
      servers.splice(servers.indexOf(server), 1);
      const db = await engine.reopen(opened.get(server)!);
      server.peers.hanging.clear();
      return follow(await server.restarted(db, testPorts(2)));
    },
    async start({ reopenable = false, watch = (db: Database) => db } = {}) {
      const ports = testPorts(1);
      const database = await engine.open({ reopenable, ports });
      const db = watch(database);
      const server = follow(new SendingServer(db, ports, new Peers(), new TestRooms(db, ports)));
      opened.set(server, database);
      await server.sender.start();
      return server;
    },
  };
}

function silentLog(ports: TestPorts): Logger {
  return createLogger({ level: 'fatal', format: 'json' }, { clock: ports.clock, destination: { write: () => true } });
}
