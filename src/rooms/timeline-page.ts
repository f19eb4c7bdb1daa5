/** A stretch of a timeline that is asked for, and what of it is answered. */
import type { EventRow } from '../storage/stores/timeline-store.ts';

export interface Range {
  /** Gaps of the timeline, as order values: where to begin, and where to stop at the latest. */
  readonly start: number;
  readonly stop: number;
  readonly limit: number;
}
export interface Page {
  readonly rows: readonly EventRow[];
  /** Where the next page begins; undefined: there is none. */
  readonly end: number | undefined;
  /** Up to where the timeline was looked at. */
  readonly lookedTo: number;
  /** Of all that was looked at, in its order: before these events something may be missing. */
  readonly gaps: readonly EventRow[];
}
