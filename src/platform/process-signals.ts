import { inspect } from 'node:util';

/** Calls `run` at each SIGHUP, which does not end the process any more. The returned function takes the handler away. */
export function onHangUp(run: () => void): () => void {
  process.on('SIGHUP', run);
  return () => void process.off('SIGHUP', run);
}

/**
 * Calls `stop` at the first SIGTERM or SIGINT and ends the process when it resolves, with the exit code that it gives. The second signal ends the
 * process at once. The returned function takes the handlers away.
 */
export function stopOnSignal(stop: (signal: NodeJS.Signals) => Promise<number>): () => void {
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    stop(signal).then(
      (exitCode) => process.exit(exitCode),
      (error: unknown) => {
        process.stderr.write(`${inspect(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  };
}
