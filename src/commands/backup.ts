/** npm run backup -- --to DIR [--config FILE]: an online copy of the database, the signing key and the list of media. */
import { loadConfig } from '../platform/config/config.ts';
import { systemClock } from '../platform/clock.ts';
import { backUp } from '../storage/backup/back-up.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage: 'npm run backup -- --to DIR [--config FILE]',
      options: { to: { type: 'string', isRequired: true }, config: { type: 'string' } },
    });
    const config = loadConfig(options.config);
    const source = { database: databaseOptions(config), signingKeyPath: config.signingKeyPath };
    const manifest = await backUp(source, options.to, systemClock);
    console.log(
      `${options.to} holds the database of ${manifest.serverName}, its signing key (keep the folder secret) and media.jsonl, ` +
        'the list of media. The files of the media are not in it: copy them from the media folder or the bucket.',
    );
  });
