/**
 * How far other servers were sent everything, on disk: one position for all of them, and a row for each that is not as far. Written
 * every few seconds, so that an event costs no row, however many servers it goes to; what was sent since is sent again after a crash.
 */
import { limits } from '../../platform/limits.ts';
import type { TimerHandle, Timers } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import { findServerFact, upsertServerFact } from '../../storage/server-facts.ts';
import { deleteDestinationsLag, laggingDestinations, setDestinationsLag } from '../../storage/stores/outgoing-store.ts';

const fact = 'federation_sent_pos';

export interface SendProgressParts {
  readonly db: Database;
  readonly timers: Pick<Timers, 'after'>;
  readonly onFailed: (error: unknown) => void;
  /** Everything at or below it was handed to the servers that it goes to. undefined: that cannot be said yet. */
  handedOutPos(): number | undefined;
  /** Those that were not sent everything, and up to where they were. */
  lagging(): Iterable<readonly [serverNid: number, sentPos: number]>;
}

export class SendProgress {
  readonly #parts: SendProgressParts;
  /** As on disk. */
  #rows = new Map<number, number>();
  #writtenPos = -1;
  #timer: TimerHandle | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: SendProgressParts) {
    this.#parts = parts;
  }

  /** As it was when the process before this one ended. Without one, nobody misses anything. */
  async load(): Promise<{ readonly pos: number; readonly lagging: ReadonlyMap<number, number> }> {
    const { db } = this.#parts;
    const written = await findServerFact(db, fact);
    const pos = Number(written ?? db.committedPos());
    const rows = await db.all(laggingDestinations, {});
    this.#rows = new Map(rows.map((row) => [row.server_nid, row.sent_pos]));
    if (written !== undefined) this.#writtenPos = pos;
    return { pos, lagging: new Map(this.#rows) };
  }

  /** Something was handed out or sent. It is written soon. */
  note(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#parts.timers.after(limits.federationNoteMs, () => {
      this.#timer = undefined;
      this.#write().catch((error: unknown) => {
        this.#parts.onFailed(error);
        this.note();
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    const pos = this.#parts.handedOutPos();
    if (pos === undefined) return;
    const lagging = new Map(this.#parts.lagging());
    const changed = [...lagging].filter(([server, sentPos]) => this.#rows.get(server) !== sentPos);
    const done = [...this.#rows.keys()].filter((server) => !lagging.has(server));
    if (pos <= this.#writtenPos && changed.length + done.length === 0) return;
    const before = { rows: this.#rows, pos: this.#writtenPos };
    const { committed } = this.#parts.db.write((unit) => {
      if (changed.length > 0) unit.run(setDestinationsLag, { rows: JSON.stringify(changed) });
      if (done.length > 0) unit.run(deleteDestinationsLag, { servers: done });
      unit.run(upsertServerFact, { name: fact, value: String(pos) });
    });
    this.#rows = lagging;
    this.#writtenPos = pos;
    this.#writing = committed.catch((error: unknown) => {
      this.#rows = before.rows;
      this.#writtenPos = before.pos;
      throw error;
    });
    await this.#writing;
  }
}
