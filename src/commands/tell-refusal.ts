import { BackupRefused } from '../storage/backup/backup-refused.ts';
import { DatabaseRefused } from '../storage/migrate.ts';

/** What is refused with a reason is told in these words and nothing else; the exit code is 1 then. */
export async function tellRefusal(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BackupRefused) && !(error instanceof DatabaseRefused)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
