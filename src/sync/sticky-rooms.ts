/** In which rooms there are sticky events (MSC4354), so that the others cost nothing. */
import { stickyUntil } from '../matrix/events/sticky.ts';
import type { Clock } from '../platform/ports.ts';
import type { Commit, Database } from '../storage/database.ts';
import { roomsWithStickyEvents } from '../storage/stores/sticky-event-store.ts';

interface Newest {
  readonly pos: number;
  readonly expiresTs: number;
}

export class StickyRooms {
  readonly #db: Pick<Database, 'all'>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #rooms = new Map<number, Newest>();
  #loaded: Promise<void> | undefined;
  #isLoaded = false;
  #sweptSize = 0;

  constructor(db: Pick<Database, 'all'>, clock: Pick<Clock, 'nowMs'>) {
    this.#db = db;
    this.#clock = clock;
  }

  /** To be called for every commit, in order. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind !== 'event') continue;
      const expiresTs = stickyUntil(wake.event.pdu, this.#clock.nowMs());
      if (expiresTs !== undefined) this.#add(wake.room, { pos: wake.pos, expiresTs });
    }
  }

  /** Whether a room may have sticky events after a position. Reads once, at its first call. */
  async mayHaveAfter(room: number, pos: number): Promise<boolean> {
    if (!this.#isLoaded) await (this.#loaded ??= this.#load());
    const newest = this.#rooms.get(room);
    return newest !== undefined && newest.pos > pos && newest.expiresTs > this.#clock.nowMs();
  }

  async #load(): Promise<void> {
    const rows = await this.#db.all(roomsWithStickyEvents, { now: this.#clock.nowMs() });
    for (const { room, pos, expires_ts: expiresTs } of rows) this.#add(room, { pos, expiresTs });
    this.#isLoaded = true;
  }

  #add(room: number, { pos, expiresTs }: Newest): void {
    const before = this.#rooms.get(room);
    this.#rooms.set(room, {
      pos: Math.max(pos, before?.pos ?? 0),
      expiresTs: Math.max(expiresTs, before?.expiresTs ?? 0),
    });
    if (this.#rooms.size > 2 * this.#sweptSize + 100) this.#sweep();
  }

  #sweep(): void {
    const now = this.#clock.nowMs();
    for (const [room, { expiresTs }] of this.#rooms) if (expiresTs <= now) this.#rooms.delete(room);
    this.#sweptSize = this.#rooms.size;
  }
}
