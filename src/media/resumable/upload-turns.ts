import { KeyedLock } from '../../platform/keyed-lock.ts';

/** Something that a later request may cut short. */
export interface Turn {
  /** Whether somebody wants the upload who came later. */
  readonly isOver: boolean;
  /** What to do when that happens, at once if it has. */
  onOver(cut: () => void): void;
}

/**
 * One at a time works on an upload, and it is always the latest to come: who continues an upload knows that the connection
 * before is dead, while the server may not for a long time.
 */
export class UploadTurns {
  readonly #locks = new KeyedLock<string>();
  readonly #turns = new Map<string, Set<OwnTurn>>();

  /** Ends all that is being done with the upload, then does `work`. Rejects as it does. */
  async run<T>(id: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    this.end(id);
    const turn = new OwnTurn();
    const turns = this.#turns.get(id) ?? new Set();
    this.#turns.set(id, turns.add(turn));
    try {
      return await this.#locks.run(id, () => work(turn));
    } finally {
      turns.delete(turn);
      if (turns.size === 0) this.#turns.delete(id);
    }
  }

  /** Whether somebody works on the upload or waits to. */
  has(id: string): boolean {
    return this.#turns.has(id);
  }

  /** Cuts what is being done with an upload. */
  end(id: string): void {
    for (const turn of this.#turns.get(id) ?? []) turn.end();
  }

  /** Cuts everything, and resolves when it has ended. */
  async endAll(): Promise<void> {
    for (const id of this.#turns.keys()) this.end(id);
    await Promise.all([...this.#turns.keys()].map((id) => this.#locks.run(id, async () => undefined)));
  }
}

class OwnTurn implements Turn {
  isOver = false;
  #cut: (() => void) | undefined;

  onOver(cut: () => void): void {
    this.#cut = cut;
    if (this.isOver) cut();
  }

  end(): void {
    this.isOver = true;
    this.#cut?.();
  }
}
