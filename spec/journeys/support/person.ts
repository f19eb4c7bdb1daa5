/**
 * Someone with a client made of matrix-js-sdk. Runs under Node and in a browser alike, so nothing of either is used here.
 */
import {
  ConnectionError,
  createClient,
  type LoginResponse,
  type MatrixClient,
  MatrixError,
  type MatrixEvent,
  PendingEventOrdering,
  type RegisterResponse,
  type Room,
  SyncState,
} from 'matrix-js-sdk';
import { logger } from 'matrix-js-sdk/lib/logger.js';
import { eventually } from './eventually.ts';

export interface PersonOptions {
  readonly name: string;
  readonly password: string;
  /** How many events of each room the first sync brings. */
  readonly initialSyncLimit: number;
  /** Whether messages in threads are shown apart. */
  readonly threadSupport?: boolean;
}

export class Person {
  readonly name: string;
  readonly client: MatrixClient;
  /** Sends that had to be repeated because the server went away. */
  resent = 0;

  private constructor(name: string, client: MatrixClient) {
    this.name = name;
    this.client = client;
  }

  /** Registers as an app does it: asks, is told what is wanted, and does that. */
  static async register(baseUrl: string, options: PersonOptions): Promise<Person> {
    const { name: username, password } = options;
    const stranger = quietClient({ baseUrl });
    const session = await stranger.registerRequest({ username, password }).then(
      () => Promise.reject(new Error('an account was made without any authentication')),
      (error: unknown) => {
        if (error instanceof MatrixError && error.httpStatus === 401) return String(error.data['session']);
        throw error;
      },
    );
    const auth = { type: 'm.login.dummy', session };
    return Person.#start(baseUrl, options, await stranger.registerRequest({ username, password, auth }));
  }

  /** Logs in with a new device. */
  static async login(baseUrl: string, options: PersonOptions): Promise<Person> {
    const identifier = { type: 'm.id.user', user: options.name };
    const answer = await quietClient({ baseUrl }).loginRequest({
      type: 'm.login.password',
      identifier,
      password: options.password,
    });
    return Person.#start(baseUrl, options, answer);
  }

  static async #start(
    baseUrl: string,
    { name, initialSyncLimit, threadSupport = false }: PersonOptions,
    { user_id: userId, access_token: accessToken, device_id: deviceId }: RegisterResponse | LoginResponse,
  ): Promise<Person> {
    if (accessToken === undefined || deviceId === undefined) throw new Error('no access token or device was given');
    const client = quietClient({ baseUrl, userId, accessToken, deviceId });
    const person = new Person(name, client);
    await client.startClient({
      initialSyncLimit,
      lazyLoadMembers: true,
      threadSupport,
      pendingEventOrdering: PendingEventOrdering.Detached,
    });
    await eventually(`the first sync of ${name}`, () => client.isInitialSyncComplete() || undefined);
    return person;
  }

  get userId(): string {
    return this.client.getSafeUserId();
  }

  room(roomId: string): Room {
    const room = this.client.getRoom(roomId);
    if (room === null) throw new Error(`${this.name} knows no room ${roomId}`);
    return room;
  }

  /** Sends a message, and again with the same transaction id whenever the server could not be reached. Gives its event id. */
  async say(roomId: string, body: string): Promise<string> {
    const txnId = this.client.makeTxnId();
    const content = { msgtype: 'm.text', body } as const;
    let send = (): Promise<{ event_id: string }> => this.client.sendMessage(roomId, null, content as never, txnId);
    for (;;) {
      try {
        return (await send()).event_id;
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
      }
      await eventually(`the connection of ${this.name}`, () => this.isConnected || undefined);
      const room = this.room(roomId);
      const pending = room.getPendingEvents().find((event) => event.getTxnId() === txnId);
      // The event had arrived, only its answer had not: the sync has brought it.
      if (pending === undefined) return this.ownEventId(room, body);
      this.resent++;
      send = () => this.client.resendEvent(pending, room);
    }
  }

  private ownEventId(room: Room, body: string): string {
    const event = liveEvents(room).find((one) => one.getSender() === this.userId && bodyOf(one) === body);
    const id = event?.getId();
    if (id === undefined) throw new Error(`${this.name} has lost the message ${body}`);
    return id;
  }

  get isConnected(): boolean {
    const state = this.client.getSyncState();
    return state === SyncState.Syncing || state === SyncState.Prepared || state === SyncState.Catchup;
  }

  /** Resolves when the client has noticed that its sync was cut off. */
  async noticesLoss(): Promise<void> {
    await eventually(`${this.name} to notice that the server is gone`, () => !this.isConnected || undefined);
  }

  /** As if the person had pressed "try again" instead of waiting for the client's own timer. */
  async reconnects(): Promise<void> {
    this.client.retryImmediately();
    await eventually(`${this.name} to sync again`, () => this.isConnected || undefined);
  }

  /** The bodies of all messages of the room in its order, from the beginning of its history. */
  async wholeHistory(roomId: string, pageEvents: number): Promise<readonly string[]> {
    const room = this.room(roomId);
    while (room.oldState.paginationToken !== null) await this.client.scrollback(room, pageEvents);
    return liveEvents(room).filter(isPlainMessage).map(bodyOf);
  }

  stop(): void {
    this.client.stopClient();
  }
}

export const liveEvents = (room: Room): MatrixEvent[] => room.getLiveTimeline().getEvents();

/** What a reader sees: the text of the last edit, if there is one. */
export const bodyOf = (event: MatrixEvent): string => String(event.getContent()['body'] ?? '');

const isPlainMessage = (event: MatrixEvent): boolean =>
  event.getType() === 'm.room.message' && !event.isRelation('m.replace');

export function quietClient(options: Omit<Parameters<typeof createClient>[0], 'logger'>): MatrixClient {
  // Parts of it write to a logger that all clients share.
  Object.assign(logger, silence);
  return createClient({ ...options, logger: silence });
}

const silence = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getChild: () => silence,
};
