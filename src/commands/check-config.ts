/** npm run check-config -- FILE: names the file, the line and the key of every mistake; exit code 1 if there is one. */
import { loadConfig } from '../platform/config/config.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

if (import.meta.main)
  await runCommand((args) => {
    const { positionals } = readArguments(args, { usage: 'npm run check-config -- FILE', positionals: ['FILE'] });
    loadConfig(positionals[0]);
    console.log(`${positionals[0]}: no mistakes`);
  });
