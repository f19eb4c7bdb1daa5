import type { Clock } from '../../platform/ports.ts';

export interface SteadyOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** So much must come in `windowMs` of waiting for it. */
  readonly bytesMin: number;
  readonly windowMs: number;
  readonly tooSlow: () => Error;
}

/**
 * The same chunks, of a sender that does not only drip. Only the time counts in which the reader waits. Throws what `tooSlow` gives,
 * and what the source throws.
 */
export async function* steady(
  chunks: AsyncIterable<Buffer>,
  { clock, bytesMin, windowMs, tooSlow }: SteadyOptions,
): AsyncIterable<Buffer> {
  let [bytes, waitedMs] = [0, 0];
  let askedMs = clock.monotonicMs();
  for await (const chunk of chunks) {
    waitedMs += clock.monotonicMs() - askedMs;
    bytes += chunk.length;
    if (bytes >= bytesMin) [bytes, waitedMs] = [0, 0];
    else if (waitedMs > windowMs) throw tooSlow();
    yield chunk;
    askedMs = clock.monotonicMs();
  }
}
