import type { TimerHandle, Timers } from './ports.ts';

/** setTimeout takes at most this; above it fires at once. */
const setTimeoutMsMax = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after,
  soon(run) {
    setImmediate(run);
  },
  sleep: (delayMs) =>
    new Promise((resolve) => {
      after(delayMs, resolve);
    }),
};

function after(delayMs: number, run: () => void): TimerHandle {
  let timeout: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, setTimeoutMsMax);
    timeout = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : run()), stepMs);
    timeout.unref();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(timeout) };
}
