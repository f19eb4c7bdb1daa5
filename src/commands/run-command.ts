import { ConfigError } from '../platform/config/mistakes.ts';
import { UsageError } from './arguments.ts';

/**
 * Runs a command's main function with the process's arguments. What people did wrong is told in its own words and nothing else:
 * exit code 2 for a command line, 1 for a configuration. Any other error is a fault of ours and keeps its stack.
 */
export async function runCommand(main: (args: readonly string[]) => Promise<void> | void): Promise<void> {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
