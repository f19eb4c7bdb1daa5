import { join } from 'node:path';
import type { Config } from '../platform/config/config.ts';
import type { DatabaseOptions } from './open.ts';

/** Where the configuration says the database is. */
export function databaseOptions(config: Pick<Config, 'database' | 'dataDir'>): DatabaseOptions {
  const { url } = config.database;
  return url === undefined
    ? { engine: 'sqlite', path: join(config.dataDir, 'veche.db') }
    : { engine: 'postgres', url: url.reveal() };
}
