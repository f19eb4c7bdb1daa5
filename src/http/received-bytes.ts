import { limitExceeded } from './errors.ts';

/** How many bytes of bodies that are not whole yet may wait in memory. */
export interface ReceivedBytesLimits {
  /** Of one user, or of one address where nobody is logged in. */
  readonly perCallerMax: number;
  readonly inAllMax: number;
}

/** The bytes of one body, from the first to the end of receiving. */
export interface ReceivingBody {
  /** Throws 429 M_LIMIT_EXCEEDED when they are too many together with those of the other bodies. */
  add(bytes: number): void;
  /** To be called once, when the body is whole or given up. */
  end(): void;
}

/**
 * Counts the bytes of bodies while they are being received. Each body is bounded by its endpoint's limit and may come as
 * slowly as it likes, so without this many slow ones together could fill the memory.
 */
export class ReceivedBytes {
  readonly #limits: ReceivedBytesLimits;
  readonly #ofCaller = new Map<string, number>();
  #inAll = 0;

  constructor(limits: ReceivedBytesLimits) {
    this.#limits = limits;
  }

  begin(caller: string): ReceivingBody {
    let own = 0;
    return {
      add: (bytes) => {
        const ofCaller = (this.#ofCaller.get(caller) ?? 0) + bytes;
        const { perCallerMax, inAllMax } = this.#limits;
        if (ofCaller > perCallerMax || this.#inAll + bytes > inAllMax) throw limitExceeded(retryAfterMs);
        this.#count(caller, ofCaller, bytes);
        own += bytes;
      },
      end: () => {
        this.#count(caller, (this.#ofCaller.get(caller) ?? 0) - own, -own);
        own = 0;
      },
    };
  }

  /** For tests. */
  get bytes(): number {
    return this.#inAll;
  }

  #count(caller: string, ofCaller: number, change: number): void {
    this.#inAll += change;
    if (ofCaller === 0) this.#ofCaller.delete(caller);
    else this.#ofCaller.set(caller, ofCaller);
  }
}

/** When the others may have ended. */
const retryAfterMs = 5_000;
