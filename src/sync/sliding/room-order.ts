/** Rooms by their last activity, the newest first: what happens moves one room, whatever their number. */

interface Place {
  readonly room: number;
  activity: number;
  newer: Place | undefined;
  older: Place | undefined;
}

export class RoomOrder {
  readonly #places = new Map<number, Place>();
  #newest: Place | undefined;
  #oldest: Place | undefined;

  get size(): number {
    return this.#places.size;
  }

  has(room: number): boolean {
    return this.#places.has(room);
  }

  activityOf(room: number): number | undefined {
    return this.#places.get(room)?.activity;
  }

  /** A room that is there already moves. Quick for what is newer than nearly all, or older. */
  put(room: number, activity: number): void {
    let place = this.#places.get(room);
    if (place === undefined) {
      place = { room, activity, newer: undefined, older: undefined };
      this.#places.set(room, place);
    } else {
      if (place.activity === activity) return;
      this.#unlink(place);
      place.activity = activity;
    }
    this.#link(place);
  }

  delete(room: number): boolean {
    const place = this.#places.get(room);
    if (place === undefined) return false;
    this.#unlink(place);
    return this.#places.delete(room);
  }

  /** From the newest to the oldest. Not to be changed meanwhile. */
  *[Symbol.iterator](): Generator<number> {
    for (let place = this.#newest; place !== undefined; place = place.older) yield place.room;
  }

  /** Those at the indexes `from` to `to`, both included. */
  between(from: number, to: number): number[] {
    const rooms: number[] = [];
    let index = 0;
    for (let place = this.#newest; place !== undefined && index <= to; place = place.older, index++)
      if (index >= from) rooms.push(place.room);
    return rooms;
  }

  #link(place: Place): void {
    if (this.#oldest !== undefined && this.#oldest.activity >= place.activity)
      return this.#linkBetween(this.#oldest, place, undefined);
    let newer: Place | undefined;
    let older = this.#newest;
    while (older !== undefined && older.activity > place.activity) [newer, older] = [older, older.older];
    this.#linkBetween(newer, place, older);
  }

  #linkBetween(newer: Place | undefined, place: Place, older: Place | undefined): void {
    place.newer = newer;
    place.older = older;
    if (newer === undefined) this.#newest = place;
    else newer.older = place;
    if (older === undefined) this.#oldest = place;
    else older.newer = place;
  }

  #unlink(place: Place): void {
    if (place.newer === undefined) this.#newest = place.older;
    else place.newer.older = place.older;
    if (place.older === undefined) this.#oldest = place.newer;
    else place.older.newer = place.newer;
  }
}
