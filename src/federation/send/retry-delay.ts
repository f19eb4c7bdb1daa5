import { limits } from '../../platform/limits.ts';
import type { Random } from '../../platform/ports.ts';

/** Milliseconds: twice as long after each failure, up to a bound, and a quarter more or less so that not all come back at once. */
export function retryDelayMs(failures: number, random: Pick<Random, 'int'>): number {
  const doubled = limits.federationRetryMs * 2 ** Math.min(failures - 1, 30);
  const delay = Math.min(doubled, limits.federationRetryMsMax);
  return Math.round(delay * (0.75 + random.int(500) / 1_000));
}
