/** People who talk in one room from three servers, and what each of the servers showed of it in its /sync. */
import { setTimeout as delay } from 'node:timers/promises';
import { Link, roomPath } from '../../journeys/support/load.ts';
import { Reader } from '../../journeys/support/reader.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const pauseMs = 500;

/** Somebody who sends numbered messages, and reads. */
export class Talker {
  readonly name: string;
  /** In the order in which they were acknowledged, each before the next was sent. */
  readonly said: string[] = [];
  readonly link: Link;
  readonly #roomId: string;
  readonly #token: string;
  readonly #reader: Reader;
  #isStopping = false;

  private constructor(name: string, roomId: string, token: string, link: Link, reader: Reader) {
    this.name = name;
    this.#roomId = roomId;
    this.#token = token;
    this.link = link;
    this.#reader = reader;
  }

  /** Reads from now on what is new. */
  static async of(name: string, server: ServerProcess, token: string, roomId: string): Promise<Talker> {
    const link = new Link(server);
    const { json } = await link.request('GET', '/_matrix/client/v3/sync', token);
    return new Talker(name, roomId, token, link, new Reader(link, token, String(json['next_batch'])));
  }

  /** Talks and reads until `stopTalking` and `stopReading`. */
  async run(): Promise<void> {
    await Promise.all([this.#reader.run(), this.#talk()]);
  }
  stopTalking(): void {
    this.#isStopping = true;
  }
  stopReading(): void {
    this.#reader.stop();
  }

  /** The messages in the order in which they came by /sync. */
  get heard(): readonly string[] {
    const events = this.#reader.events.get(this.#roomId) ?? [];
    return events.filter(({ type }) => type === 'm.room.message').map(({ content }) => String(content['body']));
  }

  async #talk(): Promise<void> {
    for (let number = 1; !this.#isStopping; number++) {
      const body = `${this.name} ${number}`;
      const path = `${roomPath(this.#roomId)}/send/m.room.message/${encodeURIComponent(body)}`;
      await this.link.insist('PUT', path, this.#token, { msgtype: 'm.text', body });
      this.said.push(body);
      await delay(pauseMs);
    }
  }
}
