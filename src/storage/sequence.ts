/**
 * Numbers that are handed out once for ever. They are reserved in blocks in the table `sequence`: a reservation is a unit that
 * is committed before any unit that uses a number of its block, and a restart goes on above what was reserved.
 */
import { defineRead, defineWrite } from './query.ts';

export class Sequence {
  readonly name: string;
  readonly #blockSize: number;
  /** Hands in a unit before the one that is being built. `settled` is told whether it was committed. */
  readonly #reserve: (reservation: Reservation, settled: (committed: boolean) => void) => void;
  #next: number;
  /** Reserved, or asked for. */
  #asked: number;
  #committed: number;

  constructor(
    name: string,
    reservedUntil: number,
    blockSize: number,
    reserve: (reservation: Reservation, settled: (committed: boolean) => void) => void,
  ) {
    this.name = name;
    this.#next = reservedUntil;
    this.#asked = reservedUntil;
    this.#committed = reservedUntil;
    this.#blockSize = blockSize;
    this.#reserve = reserve;
  }

  next(): number {
    const value = this.#next++;
    this.ensureReserved();
    return value;
  }

  /** Asks for the next block when half of the last is used; also after a reservation was lost, before the next unit. */
  ensureReserved(): void {
    if (this.#next + this.#blockSize / 2 <= this.#asked) return;
    const reservation = { name: this.name, until: this.#next + this.#blockSize };
    this.#asked = reservation.until;
    this.#reserve(reservation, (committed) => {
      if (committed) this.#committed = reservation.until;
      else this.#asked = this.#committed;
    });
  }
}

export interface Reservation {
  readonly name: string;
  readonly until: number;
}

export const reserveSequence = defineWrite<Reservation>('sequence.reserve', (q, p) =>
  q.updateTable('sequence').set({ reserved_until: p.until }).where('name', '=', p.name),
);

export const sequenceReservedUntil = defineRead<{ name: string }, { reserved_until: number }>(
  'sequence.reservedUntil',
  (q, p) => q.selectFrom('sequence').select('reserved_until').where('name', '=', p.name),
);
