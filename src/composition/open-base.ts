/** What everything else stands on: configuration, database, names, metrics. */
import { mkdir } from 'node:fs/promises';
import { outgoingDeviceLists } from '../federation/send/outgoing-device-lists.ts';
import { type RateLimits, TokenBuckets } from '../http/rate-limiter.ts';
import { Mailer } from '../mail/mailer.ts';
import type { Config } from '../platform/config/config.ts';
import { ConfigReload } from '../platform/config/config-reload.ts';
import { loadLocalServers } from '../platform/load-local-servers.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Logger } from '../platform/log.ts';
import { Metrics } from '../platform/metrics.ts';
import type { Ports } from '../platform/ports.ts';
import type { Shutdown } from '../platform/shutdown.ts';
import { databaseOptions } from '../storage/database-options.ts';
import type { GroupCommitDatabase } from '../storage/group-commit.ts';
import { openDatabase } from '../storage/open.ts';
import { Names } from '../storage/names.ts';
import { bindServerName } from '../storage/server-facts.ts';

/** Where the configuration comes from, and what a test may replace. */
export interface BaseOverrides {
  /** Reads the configuration again; absent: it stays as it is. */
  readonly readConfigAgain?: () => Config;
  readonly ports?: Ports;
  readonly log?: Logger;
  readonly localServers?: LocalServers;
  /** Instead of the file in data_dir; for tests and simulations. */
  readonly sqlitePath?: ':memory:';
  /** What is in it at first. */
  readonly sqliteImage?: Buffer;
  /** false: a commit does not wait for the disk, so that only the end of the process is outlived; for simulations. */
  readonly isDurable?: boolean;
}

/** Opened in this order; each is closed by `shutdown`. Throws OperatorError where the database or the keys cannot be used. */
export async function openBase(
  config: Config,
  overrides: BaseOverrides,
  ports: Ports,
  log: Logger,
  shutdown: Shutdown,
) {
  const { clock, timers, random } = ports;
  await mkdir(config.dataDir, { recursive: true });
  const localServers = overrides.localServers ?? (await loadLocalServers(config, random));
  const db = await openConfigured(config, overrides, ports);
  shutdown.add('database', () => db.close());
  await bindServerName(db, config.serverName);
  const metrics = new Metrics({ process: overrides.ports === undefined });
  const readAgain = overrides.readConfigAgain ?? (() => config);
  const configReload = new ConfigReload(config, { readAgain, metrics, log });
  const rateLimiter = new TokenBuckets(rateLimitsOf(config), clock);
  configReload.add((next) => () => {
    log.level = next.log.level;
    rateLimiter.replace(rateLimitsOf(next));
  });
  const names = new Names(db, config.limits.namesCacheMax);
  const mailer = new Mailer(config.email, ports.mail);
  const outgoingDevices = outgoingDeviceLists(config.federation.enabled, localServers);
  const common = { db, names, localServers, clock, timers, random };
  return {
    config,
    configReload,
    ports,
    metrics,
    rateLimiter,
    db,
    names,
    mailer,
    localServers,
    outgoingDevices,
    common,
  };
}

export type Base = Awaited<ReturnType<typeof openBase>>;

const rateLimitsOf = ({ rateLimits }: Config): RateLimits => (rateLimits.enabled ? rateLimits : {});

function openConfigured(
  config: Config,
  { sqlitePath, sqliteImage: image, isDurable = true }: BaseOverrides,
  ports: Ports,
): Promise<GroupCommitDatabase> {
  const database = databaseOptions(config);
  if (database.engine !== 'sqlite') return openDatabase(database, ports);
  const initially = image === undefined ? {} : { image };
  return openDatabase({ ...database, ...initially, path: sqlitePath ?? database.path, isDurable }, ports);
}

/** What keeps the server from being well, for /health; undefined: nothing. */
export async function findDatabaseProblem(db: GroupCommitDatabase, log: Logger): Promise<string | undefined> {
  const answers = await db.diagnostics().then(
    () => true,
    (error: unknown) => {
      log.error({ err: error }, 'the database does not answer');
      return false;
    },
  );
  return answers ? undefined : 'database';
}
