/** The states before events, with their auth chains, as numbers: what every answer about a state is made of. */
import { Lru } from '../../platform/lru.ts';
import { limits } from '../../platform/limits.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { loadAuthChain } from '../../rooms/dag/auth-chain.ts';

/** Numbers of events, each once. An event of the state may be in the auth chain of another one. */
export interface StateNumbers {
  readonly state: readonly number[];
  readonly authChain: readonly number[];
}

/** Few are put together at once, and none twice: whoever asks for many of them, or for one many times, waits. */
export class StatesAtEvents {
  readonly #ctx: RoomsContext;
  readonly #pause: () => Promise<void>;
  readonly #known = new Lru<string, StateNumbers>({
    sizeMax: limits.knownStateEventsMax,
    sizeOf: ({ state, authChain }) => state.length + authChain.length,
  });
  readonly #loading = new Map<string, Promise<StateNumbers>>();
  readonly #turns = new Semaphore(limits.statesAtOnceMax, limits.statesWaitingMax);

  constructor(ctx: RoomsContext, pause: () => Promise<void>) {
    this.#ctx = ctx;
    this.#pause = pause;
  }

  /** The state before an event that has a place. Throws SemaphoreFull when too many wait. */
  async before({ room, nid }: { readonly room: number; readonly nid: number }): Promise<StateNumbers> {
    const key = `${room} ${await this.#ctx.states.stateNameBefore(nid)}`;
    const known = this.#known.find(key) ?? this.#loading.get(key);
    if (known !== undefined) return known;
    const loading = this.#turns.run(() => this.#load(nid));
    this.#loading.set(key, loading);
    try {
      const loaded = await loading;
      this.#known.set(key, loaded);
      return loaded;
    } finally {
      this.#loading.delete(key);
    }
  }

  async #load(nid: number): Promise<StateNumbers> {
    const state = [...(await this.#ctx.states.stateBefore(nid)).values()];
    return { state, authChain: [...(await loadAuthChain(this.#ctx.db, state, this.#pause))] };
  }
}
