import { HelpRequest, UsageError } from './arguments.ts';
import { findOperatorSentence } from './operator-sentence.ts';

/**
 * Runs a command's main function with the process's arguments. What people can mend is told in a sentence and nothing else:
 * exit code 2 for a command line, otherwise 1. Any other error is a fault of ours and keeps its stack.
 */
export async function runCommand(main: (args: readonly string[]) => Promise<void> | void): Promise<void> {
  // Databases, keys and backups are for the user who runs the server and for nobody else on the machine.
  process.umask(0o077);
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (error instanceof HelpRequest) {
      console.log(error.message);
      return;
    }
    const sentence = findOperatorSentence(error);
    if (sentence === undefined) throw error;
    console.error(sentence);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
