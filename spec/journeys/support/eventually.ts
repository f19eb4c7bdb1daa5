const patienceMs = 60_000;
const stepMs = 10;

/**
 * The first value that `find` gives; asks again until there is one. Rejects, naming `what` was waited for, when there is none in a
 * minute, or in `giveUpMs`, which is only there to end a test that has failed.
 */
export async function eventually<T>(
  what: string,
  find: () => T | undefined | Promise<T | undefined>,
  giveUpMs = patienceMs,
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - started > giveUpMs) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, stepMs);
    });
  }
}
