import { parseArgs } from 'node:util';
import { OperatorError } from '../platform/operator-error.ts';

/** The command line is not one that the command understands. */
export class UsageError extends OperatorError {
  override readonly name = 'UsageError';
}

/** --help: the message is the usage. */
export class HelpRequest extends Error {
  override readonly name = 'HelpRequest';
}

/** A text is the name of the value that the option takes, "FILE"; such an option may be absent. */
type OptionDefinition = string | { readonly type: 'string' | 'boolean'; readonly isRequired?: boolean };
type OptionValue<D extends OptionDefinition> = D extends { readonly type: 'boolean' }
  ? boolean
  : D extends { readonly isRequired: true }
    ? string
    : string | undefined;

export interface CommandLine<O extends Readonly<Record<string, OptionDefinition>>, P extends readonly string[]> {
  /** Absent flags are false. */
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> };
  readonly positionals: { readonly [K in keyof P]: string };
}

/**
 * Reads a command's arguments. `usage` is shown with every complaint: "npm run check-config -- FILE".
 * `positionals` are the names of those that must be there. Throws UsageError, and HelpRequest for --help.
 */
export function readArguments<
  const O extends Readonly<Record<string, OptionDefinition>> = Record<never, never>,
  const P extends readonly string[] = [],
>(
  args: readonly string[],
  definition: { readonly usage: string; readonly options?: O; readonly positionals?: P },
): CommandLine<O, P> {
  if (args.includes('--help')) throw new HelpRequest(`Usage: ${definition.usage}`);
  const complain = (message: string): UsageError => new UsageError(`${message}\nUsage: ${definition.usage}`);
  const options = Object.entries(definition.options ?? {}).map(
    ([name, option]) => [name, typeof option === 'string' ? ({ type: 'string' } as const) : option] as const,
  );
  const names = definition.positionals ?? [];
  let parsed: { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      options: Object.fromEntries(options.map(([name, { type }]) => [name, { type }])),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    // The rest of what parseArgs says is about positional arguments.
    throw complain(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
  const missing = names[parsed.positionals.length];
  if (missing !== undefined) throw complain(`${missing} is missing`);
  const surplus = parsed.positionals[names.length];
  if (surplus !== undefined) throw complain(`"${surplus}" is too much`);
  const values: Record<string, unknown> = {};
  for (const [name, { type, ...option }] of options) {
    const value = parsed.values[name];
    if (value === undefined && 'isRequired' in option && option.isRequired) throw complain(`--${name} is missing`);
    values[name] = type === 'boolean' ? value === true : value;
  }
  return {
    options: values as CommandLine<O, P>['options'],
    positionals: parsed.positionals as CommandLine<O, P>['positionals'],
  };
}
