/** npm run serve-env: a server configured from the environment alone, for test suites and benchmarks on this machine. */
import { configFromServeEnv } from '../platform/config/serve-env.ts';
import { runServer } from '../run-server.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    readArguments(args, { usage: 'npm run serve-env' });
    await runServer(configFromServeEnv());
  });
