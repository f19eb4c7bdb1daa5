import { Readable } from 'node:stream';
import type { TimerHandle, Timers } from './ports.ts';

/** Nothing came for too long. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
}

export interface StallOptions {
  readonly timers: Pick<Timers, 'after'>;
  readonly stallMsMax: number;
  /** What readers are told. */
  readonly fail: (reason: Error) => Error;
}

/**
 * The same bytes, but a stream that ends in an error when nothing comes for `stallMsMax` although its reader waits. As long as
 * the reader wants nothing no time counts. Destroying it destroys `source`.
 */
export function stallGuarded(source: Readable, { timers, stallMsMax, fail }: StallOptions): Readable {
  let timer: TimerHandle | undefined;
  const disarm = (): void => {
    timer?.cancel();
    timer = undefined;
  };
  const guarded = new Readable({
    highWaterMark: bufferedBytesMax,
    read() {
      timer ??= timers.after(stallMsMax, () => guarded.destroy(fail(new Stalled(`nothing came for ${stallMsMax} ms`))));
      source.resume();
    },
    destroy(error, done) {
      disarm();
      source.destroy();
      done(error);
    },
  });
  source.on('data', (chunk: Buffer) => {
    disarm();
    if (!guarded.push(chunk)) source.pause();
  });
  source.on('end', () => {
    disarm();
    guarded.push(null);
  });
  source.on('error', (error: Error) => guarded.destroy(fail(error)));
  source.on('close', () => {
    if (!source.readableEnded) guarded.destroy(fail(new Error('the connection was cut')));
  });
  source.pause();
  return guarded;
}

const bufferedBytesMax = 65_536;
