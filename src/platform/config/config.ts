import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseServerName } from '../../matrix/ids/server-name.ts';
import { type ConfigAsRead, configSection } from './definition.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { invalid } from './kinds.ts';
import { emptyMap, type Located, overlay } from './located.ts';
import { ConfigError, type Mistake } from './mistakes.ts';
import { readYaml } from './yaml-source.ts';

/** The configuration as the rest of the server sees it: everything has a value, paths are absolute, secrets are `Secret`s. */
export interface Config extends Omit<ConfigAsRead, 'signingKeyPath' | 'publicBaseUrl'> {
  readonly signingKeyPath: string;
  /** Without a slash at its end. */
  readonly publicBaseUrl: string;
}

/**
 * Reads the file (none: defaults only) and the environment, which wins.
 * Throws ConfigError with every mistake of both.
 */
export function loadConfig(file?: string, environment: Environment = process.env): Config {
  const fromFile = file === undefined ? nothing : readConfigFile(file);
  const fromEnvironment = readEnvironment(environment);
  return readConfig(overlay(fromFile.value, fromEnvironment.value), [
    ...fromFile.mistakes,
    ...fromEnvironment.mistakes,
  ]);
}

/** Checks what was read from anywhere. `mistakes`: those found so far. */
export function readConfig(value: Located, mistakes: readonly Mistake[] = []): Config {
  const found = [...mistakes];
  const read = configSection.read(value, '', {
    mistake: (source, key, message) => void found.push({ source, key, message }),
  });
  if (read === invalid || found.length > 0) throw new ConfigError(inOrder(found));
  return {
    ...read,
    signingKeyPath: read.signingKeyPath ?? join(read.dataDir, 'signing.key'),
    publicBaseUrl: read.publicBaseUrl ?? defaultBaseUrl(read),
  };
}

type FromSource = { readonly value: Located; readonly mistakes: readonly Mistake[] };
const nothing: FromSource = { value: emptyMap({ name: 'the defaults', folder: process.cwd() }), mistakes: [] };

function readConfigFile(file: string): FromSource {
  const folder = dirname(resolve(file));
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([{ source: { name: file, folder }, key: '', message: `cannot be read: ${reason}` }]);
  }
  const read = readYaml(text, { name: file, folder });
  // An empty file is a configuration without wishes.
  const isEmpty = read.value.kind === 'scalar' && read.value.value === null;
  return isEmpty ? { value: emptyMap(read.value.source), mistakes: read.mistakes } : read;
}

function defaultBaseUrl(config: ConfigAsRead): string {
  const host = parseServerName(config.serverName)?.host ?? config.serverName;
  if (host !== 'localhost') return `https://${host}`;
  const listener = config.listeners.find(({ serve }) => serve.includes('client')) ?? config.listeners[0];
  const scheme = listener?.tls === undefined ? 'http' : 'https';
  return `${scheme}://localhost:${listener?.port ?? 8008}`;
}

/** As they stand in the file; those of the environment behind. */
function inOrder(mistakes: readonly Mistake[]): readonly Mistake[] {
  const line = ({ source }: Mistake): number => source.line ?? Number.MAX_SAFE_INTEGER;
  return mistakes.toSorted((a, b) => line(a) - line(b));
}
