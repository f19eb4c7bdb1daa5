import { type CollectGarbage, garbageCollector } from './garbage-collector.ts';

/**
 * To be told of the length of each buffer that carried a piece of a file. Such buffers are outside of V8's heap, and what little of
 * them is inside fills no young generation, so V8 would notice them only when they are many, and then look through the whole heap:
 * two thirds of the CPU of a download. Looking through the young generation from time to time finds them all and takes a millisecond.
 */
export function countTransferred(bytes: number): void {
  transferredBytes += bytes;
  if (transferredBytes < collectedEveryBytes) return;
  transferredBytes = 0;
  collect ??= garbageCollector();
  collect({ type: 'minor', execution: 'sync' });
}

const collectedEveryBytes = 16_777_216;
let transferredBytes = 0;
let collect: CollectGarbage | undefined;
