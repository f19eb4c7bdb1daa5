/** npm run user -- create NAME [--admin] [--password-stdin] [--config FILE]: makes an account, whether the server runs or not. */
import { text } from 'node:stream/consumers';
import { loadConfig } from '../platform/config/config.ts';
import { readArguments, UsageError } from './arguments.ts';
import { createUser } from './create-user.ts';
import { runCommand } from './run-command.ts';
import { withPortsOfCommand } from './running-server.ts';

const usage = 'npm run user -- create NAME [--admin] [--password-stdin] [--config FILE]';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options, positionals } = readArguments(args, {
      usage,
      options: {
        admin: { type: 'boolean' },
        'password-stdin': { type: 'boolean' },
        config: { type: 'string' },
      },
      positionals: ['the word create', 'NAME'],
    });
    const [action, username] = positionals;
    if (action !== 'create') throw new UsageError(`"${action}" is not something this command does\nUsage: ${usage}`);
    const config = loadConfig(options.config);
    // As `echo` writes it, a password ends with a line break that is not part of it.
    const given = options['password-stdin'] ? (await text(process.stdin)).replace(/\r?\n$/, '') : undefined;
    await withPortsOfCommand(async (ports) => {
      const password = given ?? ports.random.bytes(15).toString('base64url');
      const { userId } = await createUser(config, { username, password, isAdmin: options.admin }, ports);
      console.log(`${userId} is there now${options.admin ? ', and is an administrator' : ''}.`);
      if (given === undefined) console.log(`Password: ${password}`);
    });
  });
