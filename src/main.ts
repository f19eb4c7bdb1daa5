/** npm start [-- --config FILE]: runs the server until it is told to stop. */
import { readArguments } from './commands/arguments.ts';
import { runCommand } from './commands/run-command.ts';
import { loadConfig } from './platform/config/config.ts';
import { runServer } from './run-server.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, { usage: 'npm start -- [--config FILE]', options: { config: { type: 'string' } } });
    await runServer(loadConfig(options.config));
  });
