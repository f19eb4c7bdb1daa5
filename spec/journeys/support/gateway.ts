import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { eventually } from './eventually.ts';

/** A notification as the gateway got it, and how it answered. */
export interface Received {
  readonly status: number;
  readonly path: string;
  readonly notification: JsonObject;
}

/** A push gateway process; see gateway-process.ts. */
export class Gateway {
  readonly received: Received[] = [];
  readonly #child: ChildProcess;
  #port: number | undefined;
  #answers: number | undefined;

  private constructor() {
    this.#child = spawn(process.execPath, [new URL('gateway-process.ts', import.meta.url).pathname], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (this.#child.stdout === null) throw new Error('its output is read');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { port?: number; answers?: number } & Received;
      if (said.port !== undefined) this.#port = said.port;
      else if (said.answers !== undefined) this.#answers = said.answers;
      else this.received.push(said);
    });
  }

  static async start(): Promise<Gateway> {
    const gateway = new Gateway();
    await eventually('the port of the gateway', () => gateway.#port);
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/_matrix/push/v1/notify`;
  }

  /** Notifications that it took, of events. */
  get taken(): JsonObject[] {
    return this.received
      .filter(({ status }) => status === 200)
      .map(({ notification }) => notification)
      .filter((notification) => notification['event_id'] !== undefined);
  }

  /** Resolves when it answers so. */
  async answer(status: number, rejected: readonly string[] = []): Promise<void> {
    this.#answers = undefined;
    this.#child.stdin?.write(`${JSON.stringify({ status, rejected })}\n`);
    await eventually(`the gateway to answer ${status}`, () => this.#answers);
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
