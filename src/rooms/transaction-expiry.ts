/** Clients repeat a transaction within minutes; after a day it is forgotten. */
import type { TimerHandle, Timers } from '../platform/ports.ts';
import { dropTransactionsBefore } from '../storage/stores/txn-store.ts';
import type { RoomsContext } from './context.ts';

const keptMs = 24 * 60 * 60 * 1_000;
const intervalMs = 60 * 60 * 1_000;

/** Forgets old transactions every hour until the answer is called. */
export function expireTransactions(ctx: Pick<RoomsContext, 'db' | 'clock'>, timers: Timers): () => void {
  let timer: TimerHandle;
  const wait = (): void => {
    timer = timers.after(intervalMs, () => {
      wait();
      // If it fails, the next hour tries again with the same rows and more.
      ctx.db.write((unit) => unit.run(dropTransactionsBefore, { ts: ctx.clock.nowMs() - keptMs }));
    });
  };
  wait();
  return () => timer.cancel();
}
