import { describe, expect, it } from 'vitest';
import { HelpRequest, readArguments, UsageError } from '../../src/commands/arguments.ts';

const definition = {
  usage: 'npm run copy -- FROM --to DIR [--quick]',
  options: { to: { type: 'string', isRequired: true }, quick: { type: 'boolean' }, name: 'NAME' },
  positionals: ['FROM'],
} as const;

describe('readArguments', () => {
  it('gives options and positionals', () => {
    expect(readArguments(['here', '--to', 'there', '--quick'], definition)).toEqual({
      options: { to: 'there', quick: true, name: undefined },
      positionals: ['here'],
    });
    expect(readArguments(['--to=there', 'here'], definition).options.quick).toBe(false);
    const { options } = readArguments(['a', '--to', 'b', '--name', 'c'], definition);
    const name: string | undefined = options.name;
    expect(name).toBe('c');
    expect(readArguments([], { usage: 'x' })).toEqual({ options: {}, positionals: [] });
  });

  it('gives the usage alone to who asks for help', () => {
    const read = (): unknown => readArguments(['a', '--help'], definition);
    expect(read).toThrow(HelpRequest);
    expect(read).toThrow(/^Usage: npm run copy/);
  });

  it.each([
    [[], 'FROM is missing'],
    [['a'], '--to is missing'],
    [['a', 'b', '--to', 'c'], '"b" is too much'],
    [['a', '--too', 'c'], "Unknown option '--too'"],
    [['a', '--to'], 'argument missing'],
    [['a', '--to', 'c', '--quick=1'], 'does not take an argument'],
  ])('complains about %j with the usage', (args, message) => {
    const read = (): unknown => readArguments(args, definition);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
    expect(read).toThrow('Usage: npm run copy -- FROM --to DIR [--quick]');
  });
});
