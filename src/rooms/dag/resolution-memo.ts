/**
 * Results of state resolution by the set of canonical points that went in (R9). Resolution also depends on which events
 * were rejected, so all is forgotten when the verdict on a known event of the room changes.
 */
import { Lru } from '../../platform/lru.ts';
import { type Point, type VirtualState, pointKey } from './state-point.ts';

const RESULTS_MAX = 256;
const KEYS_PER_RESULT_MAX = 2_000;

export class ResolutionMemo {
  readonly #results = new Lru<string, VirtualState>({ sizeMax: RESULTS_MAX });

  get(points: readonly Point[]): VirtualState | undefined {
    return this.#results.find(memoKey(points));
  }

  set(points: readonly Point[], result: VirtualState): void {
    if (result.difference.size <= KEYS_PER_RESULT_MAX) this.#results.set(memoKey(points), result);
  }

  clear(): void {
    this.#results.clear();
  }
}

/** The same for the same set of points. */
export function memoKey(points: readonly Point[]): string {
  return points.map(pointKey).sort().join();
}
