/** People who send over HTTP as fast as they are answered, and go on after a crash as a good client does. */
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

export interface Sent {
  readonly roomId: string;
  readonly eventId: string;
  readonly token: string;
  readonly path: string;
  readonly content: JsonObject;
}

/** Requests to a server that may be gone for a while. */
export class Link {
  readonly #server: ServerProcess;
  #up: Promise<void> = Promise.resolve();
  #open = (): void => undefined;
  /** Requests whose answer never came. */
  lost = 0;

  constructor(server: ServerProcess) {
    this.#server = server;
  }

  /** From now on a lost request waits for `letPass` before it is sent again. */
  holdBack(): void {
    this.#up = new Promise((resolve) => (this.#open = resolve));
  }

  letPass(): void {
    this.#open();
  }

  /** The answer, which is a 200. Rejects with Lost when none came, and with what the server said when it was another. */
  async request(method: string, path: string, token: string, body?: JsonObject): Promise<TestResponse> {
    const reply = await requestJson(this.#server.url, method, path, {
      token,
      ...(body === undefined ? {} : { body }),
    }).catch((cause: unknown) => {
      throw new Lost(`${method} ${path} was not answered`, { cause });
    });
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return reply;
  }

  /** The same request until it is answered. */
  async insist(method: string, path: string, token: string, body?: JsonObject): Promise<TestResponse> {
    for (;;)
      try {
        return await this.request(method, path, token, body);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        this.lost++;
        await this.#up;
      }
  }
}

export class Lost extends Error {}

/** The room's path below /rooms/. */
export const roomPath = (roomId: string): string => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;

export class Load {
  /** In the order of their answers. */
  readonly acknowledged: Sent[] = [];
  readonly #link: Link;
  readonly #roomIds: readonly string[];
  readonly #random: () => number;
  readonly #watchers = new Set<() => void>();
  #isStopping = false;

  /** `random` gives numbers from 0 to 1. */
  constructor(link: Link, roomIds: readonly string[], random: () => number) {
    this.#link = link;
    this.#roomIds = roomIds;
    this.#random = random;
  }

  /** One sender for each token; two may be of one device, so each has transaction ids of its own. */
  async run(tokens: readonly string[]): Promise<void> {
    await Promise.all(tokens.map((token, index) => this.#send(token, index)));
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Resolves when `count` more events have been acknowledged. */
  more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.acknowledged.length < wanted) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  async #send(token: string, index: number): Promise<void> {
    for (let number = 0; !this.#isStopping; number++) {
      const roomId = this.#roomIds[Math.floor(this.#random() * this.#roomIds.length)] ?? '';
      const below = roomPath(roomId);
      // A state event has no transaction id, but one that is so already is not sent again.
      const isState = number % 7 === 3;
      const label = `${index}.${number}`;
      const content: JsonObject = isState ? { label } : { msgtype: 'm.text', body: 'a message', label };
      const path = isState
        ? `${below}/state/org.example.count/${index}`
        : `${below}/send/m.room.message/${index}-${number}`;
      const { json } = await this.#link.insist('PUT', path, token, content);
      this.acknowledged.push({ roomId, eventId: String(json['event_id']), token, path, content });
      for (const watcher of this.#watchers) watcher();
    }
  }
}
