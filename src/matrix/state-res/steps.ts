/**
 * Pure computations over data that may not be in memory yet. They look everything up synchronously; before they look
 * something up that is not at hand, they yield what they lack, all of one round together. Whoever runs them fetches it and
 * resumes. A source that has everything is never asked.
 */
export type Steps<Need, Result> = Generator<Need, Result, undefined>;

/** Runs to the end. `supply` must make everything of the need answerable. */
export function runSteps<Need, Result>(steps: Steps<Need, Result>, supply: (need: Need) => void): Result {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    supply(next.value);
  }
}

/** Runs to the end, waiting for what has to be fetched. When fetching fails, the computation ends with that error. */
export async function runStepsAsync<Need, Result>(
  steps: Steps<Need, Result>,
  supply: (need: Need) => Promise<void>,
): Promise<Result> {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    await supply(next.value);
  }
}

/** For sources that have everything: being asked for more is a mistake. */
export function suppliesNothing(need: unknown): never {
  throw new Error(`The source was to have everything, but lacks ${JSON.stringify(need)}`);
}
