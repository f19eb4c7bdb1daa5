/** npm start [-- --config FILE]: runs the server until it is told to stop. */
import { readArguments } from './commands/arguments.ts';
import { runCommand } from './commands/run-command.ts';
import { keepCompiledCode } from './platform/compile-cache.ts';
import { loadConfig } from './platform/config/config.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage: 'npm start -- [--config FILE]',
      options: { config: { type: 'string' } },
    });
    const readConfig = () => loadConfig(options.config);
    // Mistakes are told before everything else is loaded.
    readConfig();
    keepCompiledCode();
    const { runServer } = await import('./run-server.ts');
    await runServer(readConfig);
  });
