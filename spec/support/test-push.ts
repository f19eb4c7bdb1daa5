/** Push over TestRooms, with gateways that the test owns. */
import { afterEach } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { loadPushRules } from '../../src/accounts/push-rules.ts';
import { Mailer } from '../../src/mail/mailer.ts';
import { MailError } from '../../src/platform/mail-error.ts';
import { OutgoingHttpError } from '../../src/platform/outgoing-http-error.ts';
import type { OutgoingHttp, OutgoingRequest, OutgoingResponse } from '../../src/platform/ports.ts';
import type { PushConfig } from '../../src/push/context.ts';
import { createPush, type Push } from '../../src/push/index.ts';
import type { PusherWish } from '../../src/push/pushers.ts';
import type { Database } from '../../src/storage/database.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { CachedPushRules } from '../../src/sync/compiled-push-rules.ts';
import type { TestEngine } from './databases.ts';
import { emailConfigOfTests } from './test-accounts.ts';
import { type TestPorts, testPorts } from './test-ports.ts';
import { TestRooms, type TestUser } from './test-rooms.ts';

export interface Notification extends JsonObject {
  readonly event_id?: string;
  readonly counts: { readonly unread?: number };
  readonly devices: readonly [{ readonly pushkey: string } & JsonObject];
}
type GatewayAnswer = 'unreachable' | { readonly status: number; readonly rejected?: readonly string[] };

/** Every push gateway there is. */
export class TestGateways implements OutgoingHttp {
  readonly requests: { readonly url: string; readonly notification: Notification }[] = [];
  /** What the gateways took. */
  readonly taken: Notification[] = [];
  answer: (notification: Notification, url: string) => GatewayAnswer | Promise<GatewayAnswer> = () => ({ status: 200 });

  /** Instead of all that is below. */
  intercept: ((request: OutgoingRequest) => Promise<OutgoingResponse>) | undefined;

  async request(request: OutgoingRequest): Promise<OutgoingResponse> {
    if (this.intercept !== undefined) return this.intercept(request);
    const { url, body, signal } = request;
    const { notification } = JSON.parse(String(body)) as { notification: Notification };
    this.requests.push({ url, notification });
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(new OutgoingHttpError('aborted', 'the request was aborted')));
    });
    const answer = await Promise.race([this.answer(notification, url), aborted]);
    if (answer === 'unreachable') throw new OutgoingHttpError('connection', 'nobody answers');
    const { status, rejected = [] } = answer;
    if (status === 200 && rejected.length === 0) this.taken.push(notification);
    return { status, headers: {}, body: Buffer.from(JSON.stringify({ rejected })) };
  }
}

export const gatewayUrl = 'https://push.example.org/_matrix/push/v1/notify';

/** Of the tests of one block; each is closed before its database. */
export function usePush(engine: Pick<TestEngine, 'open' | 'reopen'>) {
  const started = new Map<TestPush, GroupCommitDatabase>();
  afterEach(async () => {
    for (const push of started.keys()) await push.close();
    started.clear();
  });
  const add = (push: TestPush, db: GroupCommitDatabase): TestPush => {
    started.set(push, db);
    return push;
  };
  return {
    async start(config: Partial<PushConfig> = {}): Promise<TestPush> {
      const db = await engine.open({ reopenable: true });
      return add(TestPush.start(db, config), db);
    },
    /** As after a crash. */
    async killAndRestart(push: TestPush): Promise<TestPush> {
      const db = started.get(push);
      if (db === undefined) throw new Error('it was not started here');
      started.delete(push);
      push.kill();
      const reopened = await engine.reopen(db);
      return add(push.restarted(reopened), reopened);
    },
  };
}

export class TestPush {
  readonly test: TestRooms;
  readonly push: Push;
  readonly gateways: TestGateways;
  readonly ports: TestPorts;
  readonly #db: Database;
  readonly #config: Partial<PushConfig>;
  #isDead = false;
  /** What the mail server says to every message; undefined: it takes them. */
  mailFailure: MailError | undefined;
  mailFailures = 0;

  private constructor(
    db: Database,
    ports: TestPorts,
    gateways: TestGateways,
    test: TestRooms,
    config: Partial<PushConfig>,
  ) {
    this.#db = db;
    this.#config = config;
    this.ports = ports;
    this.gateways = gateways;
    this.test = test;
    this.push = createPush({
      ...ports,
      http: { request: (request) => (this.#isDead ? new Promise(() => {}) : gateways.request(request)) },
      rooms: test.ctx,
      unread: test.sync,
      pushRules: new CachedPushRules(db, (owner) => loadPushRules({ db }, owner)),
      config: {
        includeContent: true,
        allowInsecureGateways: false,
        emailDelaySeconds: 600,
        emailIntervalSeconds: 3_600,
        gatewayHosts: [],
        ...config,
      },
      mailer: new Mailer(emailConfigOfTests, {
        send: async (mail) => {
          if (this.#isDead) return new Promise(() => {});
          if (this.mailFailure === undefined) return ports.mail.send(mail);
          this.mailFailures++;
          throw this.mailFailure;
        },
      }),
      gateway: { publicBaseUrl: 'https://matrix.test', serverName: 'test' },
      onFailed: (error) => {
        if (!this.#isDead && !(error instanceof MailError)) throw error;
      },
    });
    this.push.start();
  }

  static start(db: Database, config: Partial<PushConfig> = {}): TestPush {
    const ports = testPorts(1);
    return new TestPush(db, ports, new TestGateways(), new TestRooms(db, ports), config);
  }

  /** Over the same data: nothing of this object may be used any more. */
  restarted(db: Database): TestPush {
    return new TestPush(db, this.ports, this.gateways, this.test.restarted({}, db), this.#config);
  }

  /** It sends nothing any more. */
  kill(): void {
    this.#isDead = true;
  }

  close(): Promise<void> {
    return this.push.close();
  }

  async addPusher(user: TestUser, pushkey: string, change: Partial<PusherWish> = {}): Promise<void> {
    await this.push.setPusher(user, {
      appId: 'app',
      pushkey,
      kind: 'http',
      appDisplayName: 'App',
      deviceDisplayName: 'Phone',
      profileTag: undefined,
      lang: 'en',
      data: { url: gatewayUrl },
      isEnabled: true,
      append: false,
      ...change,
    });
    await this.settle();
  }

  /** Everything that needs no time to pass has happened. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await this.#db.drained();
      await this.push.lookedAtAll();
      await this.ports.settle();
    }
  }

  /** Until gateways have taken so many notifications, and what they took is on disk. */
  async untilTaken(count: number): Promise<readonly Notification[]> {
    await this.ports.until(() => this.gateways.taken.length >= count);
    await this.settle();
    return this.gateways.taken;
  }

  /** Lets as much time pass, a little at once, as it takes until the condition holds. */
  async pass(stepMs: number, condition: () => boolean): Promise<void> {
    let steps = 0;
    await this.ports.until(() => {
      if (condition()) return true;
      // Other threads get their turn before the next step.
      if (++steps % 50 === 0) void this.ports.advance(stepMs);
      return false;
    });
    await this.settle();
  }
}
