/** The parts of the server that know nothing of HTTP, each handed what its ports ask for. */
import packageFile from '../../package.json' with { type: 'json' };
import type { AccountsConfig } from '../accounts/context.ts';
import { createAccounts, type Accounts } from '../accounts/index.ts';
import { IgnoredUsers } from '../accounts/ignored-users.ts';
import { InvitePermissions } from '../accounts/invite-permissions.ts';
import { createEncryption, type Encryption } from '../encryption/index.ts';
import { createFederation, type Federation } from '../federation/index.ts';
import { createRemoteAliases } from '../federation/membership/remote-aliases.ts';
import { outgoingEdus } from '../federation/send/enqueue-edu.ts';
import { createRemoteKeys } from '../federation/remote-keys.ts';
import { createPolicyServers } from '../federation/query/policy-servers.ts';
import type { RemoteOpenId } from '../federation/query/remote-openid.ts';
import { createRemoteSpaces } from '../federation/query/remote-spaces.ts';
import { createRemoteProfiles } from '../federation/query/remote-profiles.ts';
import { limitExceeded } from '../http/errors.ts';
import type { RateLimiter } from '../http/rate-limiter.ts';
import type { Config } from '../platform/config/config.ts';
import type { ConfigReload } from '../platform/config/config-reload.ts';
import { openMedia, type Media } from '../media/index.ts';
import type { Finding } from '../media/scanning/content-scans.ts';
import type { Logger } from '../platform/log.ts';
import type { Shutdown } from '../platform/shutdown.ts';
import { createPush, type Push } from '../push/index.ts';
import { createRoomDags } from '../rooms/dag/room-dags.ts';
import { RemoteHistoryToCome } from '../rooms/no-remote-history.ts';
import type { RemoteMemberships, Senders } from '../rooms/ports.ts';
import { membershipsLater } from '../rooms/memberships-later.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { createRooms, createRoomsContext, type Rooms } from '../rooms/index.ts';
import type { Callers } from '../rtc/ports.ts';
import { type Search, createSearch } from '../search/index.ts';
import type { Names } from '../storage/names.ts';
import type { CachedPushRules } from '../sync/compiled-push-rules.ts';
import type { Sync } from '../sync/index.ts';
import type { Base } from './open-base.ts';

/** What federation needs of nobody: it is there before rooms and accounts, which ask other servers by it. */
export async function openFederation(
  { config, configReload, ports, metrics, common }: Base,
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

const federationSettings = ({ federation, groups }: Config) => ({ ...federation, groups });

/** Files and their copies of other servers'. */
export async function openFiles(
  { config, ports, metrics, common }: Base,
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
export async function createAccountsAndRooms(
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
  }: Base & BeforeRooms,
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

/** Keys and messages of devices, of users of other servers too. */
export function openEncryption(
  { config, common, outgoingDevices }: Base,
  {
    federation,
    accounts,
    rooms,
  }: { readonly federation: Federation; readonly accounts: Accounts; readonly rooms: Rooms },
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

/** What follows the stream of events, beside sync. */
export function openReaders(
  { config, ports, mailer }: Base,
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

/** What is sent in somebody's name counts as what they send themselves. Administrators are exempt, as everywhere. */
export function sendersOf(accounts: Accounts, rateLimiter: RateLimiter | undefined): Senders {
  return {
    async assertMaySend(user) {
      const { isAdmin } = await accounts.assertMaySend(user);
      const retryAfterMs = isAdmin ? 0 : (rateLimiter?.take('send', 'user', user.userId) ?? 0);
      if (retryAfterMs > 0) throw limitExceeded(retryAfterMs);
    },
  };
}

/** Who may take part in calls. */
export function callersOf(accounts: Accounts, rooms: Rooms, names: Names, remoteOpenId: RemoteOpenId): Callers {
  return {
    openIdTokenOwner: (token) => accounts.openIdTokenOwner(token),
    remoteOpenIdTokenOwner: (server, token) => remoteOpenId.openIdTokenOwner(server, token),
    assertJoined: (userId, roomId) => rooms.assertJoined(userId, roomId),
    userNid: (userId) => names.userNid(userId),
  };
}
