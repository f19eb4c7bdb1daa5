/** npm run restore -- --from DIR [--config FILE]: puts a backup where the configuration says the database is. */
import { loadConfig } from '../platform/config/config.ts';
import { restore } from '../storage/backup/restore.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage: 'npm run restore -- --from DIR [--config FILE]',
      options: { from: { type: 'string', isRequired: true }, config: { type: 'string' } },
    });
    const config = loadConfig(options.config);
    const { signingKeyPath, serverName } = config;
    const restored = await restore(options.from, { database: databaseOptions(config), signingKeyPath, serverName });
    console.log(
      [
        `The database and the signing key of ${serverName} are as they were on ${new Date(restored.manifest.createdTs).toISOString()}.`,
        `${restored.droppedOneTimeKeys} one-time keys were dropped: some of them may have been claimed since the backup, and a key that is handed out ` +
          'twice would let two conversations share their secrets. Devices upload new ones by themselves.',
        `${restored.media} media are in ${options.from}/media.jsonl; put their files back into the media folder.`,
      ].join('\n'),
    );
  });
