/** Whether this server is in a room, remembered: it is asked for every transaction. */
import { Lru } from '../../platform/lru.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { isResident } from '../../rooms/residence.ts';

const roomsKnownMax = 10_000;

export class RoomDoors {
  readonly #ctx: RoomsContext;
  readonly #inhabited = new Lru<number, { readonly is: boolean }>({ sizeMax: roomsKnownMax });
  readonly #unfollow: () => void;

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
    this.#unfollow = ctx.db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'membership') this.#inhabited.delete(wake.room);
    });
  }

  /** As `isResident`. */
  async isInhabited({ room }: RoomDag): Promise<boolean> {
    const known = this.#inhabited.find(room);
    if (known !== undefined) return known.is;
    const pos = this.#ctx.db.committedPos();
    const is = await isResident(this.#ctx, room);
    // What was committed while this was read may have changed it.
    if (pos === this.#ctx.db.committedPos()) this.#inhabited.set(room, { is });
    return is;
  }

  close(): void {
    this.#unfollow();
  }
}
