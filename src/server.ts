/**
 * The composition root: with src/composition the only place that knows everybody. Built from the bottom to the top, closed from the top
 * to the bottom.
 */
import type { Accounts } from './accounts/index.ts';
import {
  callersOf,
  createAccountsAndRooms,
  openEncryption,
  openFederation,
  openFiles,
  openReaders,
  sendersOf,
} from './composition/open-domain.ts';
import { listen, type Parts } from './composition/listen.ts';
import { type BaseOverrides, findDatabaseProblem, openBase } from './composition/open-base.ts';
import type { Encryption } from './encryption/index.ts';
import type { Federation } from './federation/index.ts';
import { createRoomsFederation, type RoomsFederation } from './federation/rooms-federation.ts';
import { createRemoteOpenId } from './federation/query/remote-openid.ts';
import { type Listening, startListeners } from './http/listeners.ts';
import { cryptoSelfTest } from './matrix/crypto/self-test.ts';
import type { Config } from './platform/config/config.ts';
import type { ConfigReload } from './platform/config/config-reload.ts';
import { createLogger, type Logger } from './platform/log.ts';
import { ServerNotices } from './notices/server-notices.ts';
import { outgoingPolicies } from './platform/outgoing-policies.ts';
import type { Ports } from './platform/ports.ts';
import { Shutdown, type ShutdownStep } from './platform/shutdown.ts';
import { smtpSettings } from './platform/smtp-settings.ts';
import { systemPorts } from './platform/system-ports.ts';
import { Presence } from './presence/index.ts';
import { DelayedEvents } from './rooms/delayed-events/delayed-events.ts';
import type { RemoteMemberships } from './rooms/ports.ts';
import type { Rooms } from './rooms/index.ts';
import { createRtc } from './rtc/index.ts';
import { CachedPushRules } from './sync/compiled-push-rules.ts';
import { createSync, type Sync } from './sync/index.ts';

/** What a test or a simulation may replace. */
export interface ServerOverrides extends BaseOverrides {
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
