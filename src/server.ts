/**
 * The composition root: the only file that knows everybody. Built from the bottom to the top, closed from the top to the
 * bottom.
 */
import { mkdir } from 'node:fs/promises';
import packageFile from '../package.json' with { type: 'json' };
import type { AccountsConfig } from './accounts/context.ts';
import { createAccounts, type Accounts } from './accounts/index.ts';
import { IgnoredUsers } from './accounts/ignored-users.ts';
import { InvitePermissions } from './accounts/invite-permissions.ts';
import { createEncryption, type Encryption } from './encryption/index.ts';
import { createFederation, type Federation } from './federation/index.ts';
import { createRemoteAliases } from './federation/membership/remote-aliases.ts';
import { outgoingEdus } from './federation/send/enqueue-edu.ts';
import { outgoingDeviceLists } from './federation/send/outgoing-device-lists.ts';
import { createRemoteKeys } from './federation/remote-keys.ts';
import { createRoomsFederation, type RoomsFederation } from './federation/rooms-federation.ts';
import { createPolicyServers } from './federation/query/policy-servers.ts';
import { createRemoteOpenId, type RemoteOpenId } from './federation/query/remote-openid.ts';
import { createRemoteSpaces } from './federation/query/remote-spaces.ts';
import { createRemoteProfiles } from './federation/query/remote-profiles.ts';
import { allEndpoints, type HttpDomain } from './http/all-endpoints.ts';
import { unstableFeatures } from './http/client/versions/unstable-features.ts';
import { limitExceeded } from './http/errors.ts';
import { readListenerOptions } from './http/listener-options.ts';
import { type Listeners, type Listening, startListeners } from './http/listeners.ts';
import { startPageSettings } from './http/pages/start-page-domain.ts';
import { type RateLimiter, type RateLimits, TokenBuckets } from './http/rate-limiter.ts';
import { requestMetrics } from './http/request-metrics.ts';
import { optionsHeaders } from './http/client/resumable-upload/options-headers.ts';
import { createApp } from './http/router.ts';
import { servedOperations } from './http/served-operations.ts';
import { wellKnownSettings } from './http/well-known/well-known-settings.ts';
import { Mailer } from './mail/mailer.ts';
import { declaredVersions } from './matrix/versions/declared-versions.ts';
import { cryptoSelfTest } from './matrix/crypto/self-test.ts';
import type { Config } from './platform/config/config.ts';
import { ConfigReload } from './platform/config/config-reload.ts';
import { openMedia, type Media } from './media/index.ts';
import type { Finding } from './media/scanning/content-scans.ts';
import { limits } from './platform/limits.ts';
import { loadLocalServers } from './platform/load-local-servers.ts';
import type { LocalServers } from './platform/local-servers.ts';
import { createLogger, type Logger } from './platform/log.ts';
import { Metrics } from './platform/metrics.ts';
import { ServerNotices } from './notices/server-notices.ts';
import { outgoingPolicies } from './platform/outgoing-policies.ts';
import type { Ports } from './platform/ports.ts';
import { Shutdown, type ShutdownStep } from './platform/shutdown.ts';
import { smtpSettings } from './platform/smtp-settings.ts';
import { readTermsTexts } from './platform/terms-texts.ts';
import { systemPorts } from './platform/system-ports.ts';
import { Presence } from './presence/index.ts';
import { createPush, type Push } from './push/index.ts';
import { createRoomDags } from './rooms/dag/room-dags.ts';
import { DelayedEvents } from './rooms/delayed-events/delayed-events.ts';
import { RemoteHistoryToCome } from './rooms/no-remote-history.ts';
import type { RemoteMemberships, Senders } from './rooms/ports.ts';
import { membershipsLater } from './rooms/memberships-later.ts';
import type { RoomsContext } from './rooms/context.ts';
import { createRooms, createRoomsContext, type Rooms } from './rooms/index.ts';
import { createRtc, type Rtc } from './rtc/index.ts';
import type { Callers } from './rtc/ports.ts';
import { type Search, createSearch } from './search/index.ts';
import { databaseOptions } from './storage/database-options.ts';
import type { GroupCommitDatabase } from './storage/group-commit.ts';
import { openDatabase } from './storage/open.ts';
import { Names } from './storage/names.ts';
import { bindServerName } from './storage/server-facts.ts';
import { CachedPushRules } from './sync/compiled-push-rules.ts';
import { createSync, type Sync } from './sync/index.ts';

/** Where the configuration comes from, and what a test may replace. */
export interface ServerOverrides {
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
  /** Takes the place of listening, so that requests need no sockets. */
  readonly startListeners?: typeof startListeners;
}

export interface Server {
  readonly addresses: readonly Listening[];
  readonly log: Logger;
  readonly accounts: Accounts;
  readonly rooms: Rooms;
  readonly encryption: Encryption;
  readonly federation: Federation;
  readonly sync: Sync;
  readonly configReload: ConfigReload;
  /** Ends within `limits.shutdownMs`: requests are answered and everything is on disk. */
  close(): Promise<readonly ShutdownStep[]>;
}

/** Opens the database, makes what is not there, and listens. Rejects with a sentence for the operator when it cannot. */
export async function createServer(config: Config, overrides: ServerOverrides = {}): Promise<Server> {
  cryptoSelfTest();
  const ports = overrides.ports ?? systemPorts({ outgoing: outgoingPolicies(config), smtp: smtpSettings(config) });
  const shutdown = new Shutdown(ports);
  if ('close' in ports && typeof ports.close === 'function') {
    const closePorts = ports.close.bind(ports) as () => void;
    shutdown.add('outgoing connections', async () => closePorts());
  }
  const log = overrides.log ?? createLogger(config.log, ports);
  try {
    return await compose(config, overrides, ports, log, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function compose(
  config: Config,
  overrides: ServerOverrides,
  ports: Ports,
  log: Logger,
  shutdown: Shutdown,
): Promise<Server> {
  const base = await openBase(config, overrides, ports, log, shutdown);
  const { db, names, common, rateLimiter, configReload } = base;
  const { clock, timers } = ports;
  const onFailed = (error: unknown) => log.error({ err: error }, 'work in the background failed');
  const federation = await openFederation(base, shutdown, log, onFailed);
  const media = await openFiles(base, federation, shutdown, log, onFailed);
  const isEnabled = config.federation.enabled;
  const others = { federation, memberships: (): RemoteMemberships => roomsFederation.memberships.remote };
  const people = await createAccountsAndRooms({ ...base, ...others, media }, shutdown, onFailed);
  const { accounts, rooms, roomsContext, remoteHistory } = people;
  const encryption = openEncryption(base, { federation, accounts, rooms }, onFailed);
  const pushRules = new CachedPushRules(db, (owner) => accounts.loadPushRules(owner));
  const presence = new Presence({ db, names, clock, timers, isEnabled: config.presence.enabled });
  await presence.resume();
  const { inboxes, keyCounts } = encryption;
  const sync = createSync(roomsContext, rooms.typing, pushRules, timers, { presence, inboxes, keyCounts, onFailed });
  const senders = sendersOf(accounts, rateLimiter);
  const delayedEvents = new DelayedEvents(roomsContext, { ...config.delayedEvents, timers, senders, onFailed });
  const remoteOpenId = createRemoteOpenId(federation.client, config.livekit.allowedServers);
  const callers = callersOf(accounts, rooms, names, remoteOpenId);
  const rtc = createRtc({ ...common, config, callers, events: delayedEvents, http: ports.http, onFailed });
  shutdown.add('rooms and sync', () => closeRooms({ rtc, delayedEvents, presence, sync, encryption, rooms }));
  const inRooms = { federation, isEnabled, rooms: roomsContext, typing: rooms.typing, presence, encryption };
  const roomsFederation = createRoomsFederation({
    ...base,
    ...common,
    ...inRooms,
    http: ports.http,
    users: accounts,
    log,
    onFailed,
  });
  remoteHistory.isHere(roomsFederation.history);
  shutdown.add('rooms of other servers', () => roomsFederation.close());
  const { search, push } = openReaders(base, { roomsContext, sync, pushRules }, shutdown, onFailed);
  await startAll({ accounts, rooms, delayedEvents, push, rtc, roomsFederation }, onFailed);

  const apart = { ...base, media, notices: new ServerNotices({ ...base, accounts, rooms }) };
  const findProblem = (): Promise<string | undefined> => findDatabaseProblem(db, log);
  const server = {
    ...apart,
    ...roomsFederation,
    federation,
    accounts,
    rooms,
    delayedEvents,
    presence,
    encryption,
    push,
    search,
    rtc,
    sync,
  };
  const listeners = await listen({ ...server, findProblem }, log, overrides.startListeners ?? startListeners);
  shutdown.add('listeners', () => listeners.close());
  const addresses = listeners.addresses;
  const close = () => shutdown.run();
  return { addresses, log, accounts, rooms, encryption, federation, sync, configReload, close };
}

async function closeRooms(
  parts: Pick<Parts, 'rtc' | 'delayedEvents' | 'presence' | 'sync' | 'encryption' | 'rooms'>,
): Promise<void> {
  parts.rtc.close();
  await parts.delayedEvents.close();
  await parts.presence.close();
  await parts.sync.close();
  await parts.encryption.close();
  parts.rooms.close();
}

/** What was on its way when the server ended goes on, and what works by itself begins. */
async function startAll(
  {
    accounts,
    rooms,
    delayedEvents,
    push,
    rtc,
    roomsFederation,
  }: Pick<Parts, 'accounts' | 'rooms' | 'delayedEvents' | 'push' | 'rtc'> & {
    readonly roomsFederation: Pick<RoomsFederation, 'start'>;
  },
  onFailed: (error: unknown) => void,
): Promise<void> {
  await accounts.resumeDeactivations();
  await rooms.guestDepartures.resume();
  accounts.validity.start(onFailed);
  await accounts.updateUserWords();
  await delayedEvents.start();
  push.start();
  await rtc.start();
  await roomsFederation.start();
}

/** What follows the stream of events, beside sync. */
function openReaders(
  { config, ports, mailer }: Awaited<ReturnType<typeof openBase>>,
  parts: { readonly roomsContext: RoomsContext; readonly sync: Sync; readonly pushRules: CachedPushRules },
  shutdown: Shutdown,
  onFailed: (error: unknown) => void,
): { readonly search: Search; readonly push: Push } {
  const search = createSearch(parts.roomsContext, {
    findsAllUsers: config.userDirectory.allLocalUsers,
    searchesEvents: config.search.enabled,
    timers: ports.timers,
    onFailed,
  });
  shutdown.add('search', () => search.close());
  const push = createPush({
    ...ports,
    rooms: parts.roomsContext,
    unread: parts.sync,
    pushRules: parts.pushRules,
    config: config.push,
    mailer,
    gateway: config,
    onFailed,
  });
  shutdown.add('push', () => push.close());
  return { search, push };
}

/** What everything else stands on. */
async function openBase(config: Config, overrides: ServerOverrides, ports: Ports, log: Logger, shutdown: Shutdown) {
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

const federationSettings = ({ federation, groups }: Config) => ({ ...federation, groups });

const rateLimitsOf = ({ rateLimits }: Config): RateLimits => (rateLimits.enabled ? rateLimits : {});

/** As it is now: what can be reloaded is read anew each time. */
function liveAccountsConfig(configReload: ConfigReload): AccountsConfig {
  return {
    ...configReload.current,
    get registration() {
      return configReload.current.registration;
    },
    get password() {
      return configReload.current.password;
    },
  };
}

/** What federation needs of nobody: it is there before rooms and accounts, which ask other servers by it. */
async function openFederation(
  { config, configReload, ports, metrics, common }: Awaited<ReturnType<typeof openBase>>,
  shutdown: Shutdown,
  log: Logger,
  onFailed: (error: unknown) => void,
): Promise<Federation> {
  const { version } = packageFile;
  const settings = federationSettings(config);
  const onNotice = (message: string, details: object): void => log.warn(details, message);
  const federation = await createFederation({
    ...ports,
    ...common,
    metrics,
    settings,
    signingKeyPath: config.signingKeyPath,
    version,
    onNotice,
    onFailed,
  });
  configReload.add((next) => federation.prepare(federationSettings(next)));
  shutdown.add('federation', () => federation.close());
  return federation;
}

async function openFiles(
  { config, ports, metrics, common }: Awaited<ReturnType<typeof openBase>>,
  { media: contents }: Federation,
  shutdown: Shutdown,
  log: Logger,
  onFailed: (error: unknown) => void,
): Promise<Media> {
  const { version } = packageFile;
  const onFound = ({ content, ...found }: Finding): void =>
    log.warn({ sha256: content.toString('hex'), ...found }, 'malware was found in a file, which is in quarantine now');
  const media = await openMedia({ ...ports, ...common, config, contents, version, metrics, onFailed, onFound });
  shutdown.add('media', () => media.close());
  return media;
}

interface BeforeRooms {
  readonly media: Media;
  readonly federation: Federation;
  /** Once rooms are there. */
  memberships(): RemoteMemberships;
}

/** They need each other: each sees of the other only what its ports say. */
async function createAccountsAndRooms(
  {
    config,
    configReload,
    ports,
    rateLimiter,
    db,
    names,
    mailer,
    common,
    media,
    federation,
    outgoingDevices,
    memberships,
  }: Awaited<ReturnType<typeof openBase>> & BeforeRooms,
  shutdown: Shutdown,
  onFailed: (error: unknown) => void,
) {
  const { timers } = ports;
  const accounts = createAccounts({
    ...common,
    config: liveAccountsConfig(configReload),
    attempts: rateLimiter,
    mailer,
    profilePropagation: { profileChanged: (userId, profile) => rooms.profileChanged(userId, profile) },
    remoteProfiles: createRemoteProfiles(federation.client),
    outgoingDevices,
    departure: { leaveAllRooms: (userId) => rooms.leaveAllRooms(userId) },
  });
  shutdown.add('accounts', () => accounts.close());
  const remoteHistory = new RemoteHistoryToCome();
  const people = {
    members: accounts,
    ignored: new IgnoredUsers(db),
    invitePermissions: new InvitePermissions(db, accounts.noticesUserId),
    erasures: await accounts.erasedUsers.load(),
    remoteHistory,
  };
  const remote = {
    remoteMemberships: membershipsLater(memberships),
    remoteAliases: createRemoteAliases(federation.client),
    remoteSpaces: createRemoteSpaces(federation.client, ports.clock),
    policyServers: createPolicyServers(federation.client, ports.clock),
  };
  const dags = createRoomDags(db, names, { hotRoomsMax: config.limits.hotRoomsMax, timers });
  const roomsContext = createRoomsContext({
    ...common,
    dags,
    ...people,
    ...remote,
    federationRights: federation.policy,
    roomFiles: media.roomQuotas,
    encryptByDefault: config.rooms.encryptByDefault,
  });
  const rooms: Rooms = createRooms(roomsContext, { timers, defaultRoomVersion: config.rooms.defaultVersion, onFailed });
  return { accounts, rooms, roomsContext, remoteHistory };
}

function openEncryption(
  { config, common, outgoingDevices }: Awaited<ReturnType<typeof openBase>>,
  { federation, accounts, rooms }: Pick<Parts, 'federation' | 'accounts' | 'rooms'>,
  onFailed: (error: unknown) => void,
): Encryption {
  return createEncryption({
    ...common,
    interactiveAuth: accounts.interactiveAuth,
    remoteKeys: createRemoteKeys(federation.client),
    edus: outgoingEdus(config.federation.enabled),
    outgoingDevices,
    backingOff: federation.destinations,
    tellsDeviceNames: config.federation.deviceNames,
    isEncrypted: (room) => rooms.isEncrypted(room),
    onFailed,
  });
}

/** What is sent in somebody's name counts as what they send themselves. Administrators are exempt, as everywhere. */
function sendersOf(accounts: Accounts, rateLimiter: RateLimiter | undefined): Senders {
  return {
    async assertMaySend(user) {
      const { isAdmin } = await accounts.assertMaySend(user);
      const retryAfterMs = isAdmin ? 0 : (rateLimiter?.take('send', 'user', user.userId) ?? 0);
      if (retryAfterMs > 0) throw limitExceeded(retryAfterMs);
    },
  };
}

function callersOf(accounts: Accounts, rooms: Rooms, names: Names, remoteOpenId: RemoteOpenId): Callers {
  return {
    openIdTokenOwner: (token) => accounts.openIdTokenOwner(token),
    remoteOpenIdTokenOwner: (server, token) => remoteOpenId.openIdTokenOwner(server, token),
    assertJoined: (userId, roomId) => rooms.assertJoined(userId, roomId),
    userNid: (userId) => names.userNid(userId),
  };
}

async function listen(parts: Parts, log: Logger, start: typeof startListeners): Promise<Listeners> {
  const { config, accounts, federation, metrics, ports, rateLimiter } = parts;
  const { clock, timers, random } = ports;
  const app = createApp({
    endpoints: allEndpoints,
    domain: httpDomain(parts),
    auth: accounts.accessTokens,
    servers: federation.requests,
    log,
    metrics: requestMetrics(metrics),
    limits: { ...limits, ...config.limits },
    clock,
    requestIdPrefix: random.bytes(4).toString('hex'),
    rateLimiter,
    optionsHeaders: optionsHeaders(parts.media),
  });
  return start(await readListenerOptions(config.listeners), app, { timers, log });
}

function openConfigured(
  config: Config,
  { sqlitePath, sqliteImage: image, isDurable = true }: ServerOverrides,
  ports: Ports,
): Promise<GroupCommitDatabase> {
  const database = databaseOptions(config);
  if (database.engine !== 'sqlite') return openDatabase(database, ports);
  const initially = image === undefined ? {} : { image };
  return openDatabase({ ...database, ...initially, path: sqlitePath ?? database.path, isDurable }, ports);
}

async function findDatabaseProblem(db: GroupCommitDatabase, log: Logger): Promise<string | undefined> {
  const answers = await db.diagnostics().then(
    () => true,
    (error: unknown) => {
      log.error({ err: error }, 'the database does not answer');
      return false;
    },
  );
  return answers ? undefined : 'database';
}

interface Parts extends RoomsFederation {
  readonly config: Config;
  readonly configReload: ConfigReload;
  readonly federation: Federation;
  readonly accounts: Accounts;
  readonly rooms: Rooms;
  readonly delayedEvents: DelayedEvents;
  readonly presence: Presence;
  readonly notices: ServerNotices;
  readonly media: Media;
  readonly encryption: Encryption;
  readonly push: Push;
  readonly rtc: Rtc;
  readonly search: Search;
  readonly sync: Sync;
  readonly localServers: LocalServers;
  readonly metrics: Metrics;
  readonly ports: Ports;
  readonly rateLimiter: RateLimiter | undefined;
  findProblem(): Promise<string | undefined>;
}

/** What all endpoints together need. */
function httpDomain(parts: Parts): HttpDomain {
  const { config, accounts, ports, rateLimiter, findProblem, ...others } = parts;
  const software = { name: packageFile.name, version: packageFile.version };
  return {
    ...others,
    accounts,
    filters: accounts,
    ports,
    clock: ports.clock,
    ownKeys: parts.federation.ownKeys,
    software,
    health: { findProblem },
    wellKnown: wellKnownSettings(config),
    versions: {
      specificationVersions: declaredVersions(servedOperations(allEndpoints)),
      unstableFeatures: unstableFeatures(allEndpoints),
    },
    termsTexts: readTermsTexts(config),
    emailPage: { serverName: config.serverName, redirectHosts: config.email.redirectHosts },
    startPage: {
      get settings() {
        return startPageSettings(parts.configReload.current);
      },
      accounts: accounts.startPage,
      rateLimiter,
      clock: ports.clock,
    },
  };
}
