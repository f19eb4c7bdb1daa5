import { type CollectGarbage, garbageCollector } from './garbage-collector.ts';

/**
 * Gives the memory of a piece of a file back at once, where the piece is all of that memory; it is empty then. Such buffers are outside of
 * V8's heap: left to the collector, a few of them make it look through all of the heap, again and again, which is more
 * work than everything else that is done for a file.
 */
export function giveBack(piece: Uint8Array): void {
  const { buffer } = piece;
  if (buffer instanceof ArrayBuffer && isWhole(piece)) buffer.transfer(0);
}

/** Whether a piece shares its memory with nothing else, as the small pieces do that Node cuts from one of its own. */
export const isWhole = ({ byteLength, buffer }: Uint8Array): boolean => byteLength === buffer.byteLength;

/**
 * To be told of the length of each piece of a file whose memory cannot be given back because others have it. Looking through the
 * young generation from time to time finds them all and takes a millisecond.
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
