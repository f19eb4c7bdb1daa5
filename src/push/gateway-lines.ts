import { limits } from '../platform/limits.ts';

/**
 * Who may send now: so many at once in all and so many to each gateway, the others in the order of asking. A gateway that
 * failed is tried by one at a time until it answers again.
 */
export class GatewayLines {
  readonly #lines = new Map<string, Line>();
  readonly #waiting = new Set<Line>();
  #running = 0;

  /** Resolves or rejects as `send` does; that it rejects means that the gateway failed. Throws the signal's reason. */
  async run<T>(gateway: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const line = this.#lineOf(gateway);
    const turn = Promise.withResolvers<void>();
    line.turns.add(turn.resolve);
    this.#waiting.add(line);
    const onAbort = (): void => {
      if (line.turns.delete(turn.resolve)) turn.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#admit();
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    try {
      const result = await send();
      line.isFailing = false;
      return result;
    } catch (error) {
      line.isFailing = true;
      throw error;
    } finally {
      line.running--;
      this.#running--;
      if (line.turns.size > 0) this.#waiting.add(line);
      else if (line.running === 0) this.#lines.delete(gateway);
      this.#admit();
    }
  }

  #lineOf(gateway: string): Line {
    const known = this.#lines.get(gateway);
    if (known !== undefined) return known;
    const line: Line = { running: 0, isFailing: false, turns: new Set() };
    this.#lines.set(gateway, line);
    return line;
  }

  /** One of each line in turn, so that a slow gateway does not keep the others waiting. */
  #admit(): void {
    for (const line of this.#waiting) {
      if (this.#running >= limits.pushesAtOnceMax) return;
      const [turn] = line.turns;
      const mayRun = line.running < (line.isFailing ? 1 : limits.pushesPerGatewayMax);
      this.#waiting.delete(line);
      if (turn === undefined || !mayRun) continue;
      line.turns.delete(turn);
      line.running++;
      this.#running++;
      turn();
      if (line.turns.size > 0) this.#waiting.add(line);
    }
  }
}

interface Line {
  running: number;
  /** The last that was tried failed. */
  isFailing: boolean;
  readonly turns: Set<() => void>;
}
