/** npm run --silent print-config-sample > config.sample.yaml */
import { configSample } from '../platform/config/sample.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

if (import.meta.main)
  await runCommand((args) => {
    readArguments(args, { usage: 'npm run --silent print-config-sample > config.sample.yaml' });
    process.stdout.write(configSample());
  });
