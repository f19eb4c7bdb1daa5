/** npm run serve-env: a server configured from the environment alone, for test suites and benchmarks on this machine. */
import { keepCompiledCode } from '../platform/compile-cache.ts';
import { configFromServeEnv } from '../platform/config/serve-env.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    readArguments(args, { usage: 'npm run serve-env' });
    // Mistakes are told before everything else is loaded.
    configFromServeEnv();
    keepCompiledCode();
    const { runServer } = await import('../run-server.ts');
    await runServer(() => configFromServeEnv());
  });
