/**
 * npm run purge-history -- --room ID --before EVENT [--config FILE]: forgets what happened in a room before an event, whether the
 * server runs or not.
 */
import { IgnoredUsers } from '../accounts/ignored-users.ts';
import { orderMac } from '../accounts/shared-secret.ts';
import { everybodyMayInvite } from '../matrix/invite-permission/invite-permission.ts';
import { isEventId } from '../matrix/ids/event-id.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import { isRoomId } from '../matrix/ids/room-id.ts';
import { type Config, loadConfig } from '../platform/config/config.ts';
import { loadLocalServers } from '../platform/load-local-servers.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Ports } from '../platform/ports.ts';
import { noRemoteHistory } from '../rooms/no-remote-history.ts';
import { createRoomDags } from '../rooms/dag/room-dags.ts';
import { createRoomsContext } from '../rooms/index.ts';
import type { Members } from '../rooms/ports.ts';
import {
  noPolicyServers,
  noRemoteAliases,
  noRemoteMemberships,
  noRemoteSpaces,
} from '../rooms/no-remote-memberships.ts';
import { purgeHistory } from '../rooms/purge-history.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { Names } from '../storage/names.ts';
import { openDatabase } from '../storage/open.ts';
import { bindServerName } from '../storage/server-facts.ts';
import { readArguments, UsageError } from './arguments.ts';
import { runCommand } from './run-command.ts';
import { askRunningServer, withPortsOfCommand } from './running-server.ts';

const usage = 'npm run purge-history -- --room ID --before EVENT [--config FILE]';

/** Large rooms take minutes. Whoever gives up waiting stops nothing: the server goes on. */
const purgeTimeoutMs = 3_600_000;

interface PurgeOrder {
  readonly roomId: RoomId;
  readonly before: EventId;
}

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage,
      options: {
        room: { type: 'string', isRequired: true },
        before: { type: 'string', isRequired: true },
        config: { type: 'string' },
      },
    });
    const { room: roomId, before } = options;
    if (!isRoomId(roomId)) throw new UsageError(`"${roomId}" is not a room ID\nUsage: ${usage}`);
    if (!isEventId(before)) throw new UsageError(`"${before}" is not an event ID\nUsage: ${usage}`);
    await withPortsOfCommand(async (ports) => {
      const { events, stateChanges, lines } = await purge(loadConfig(options.config), { roomId, before }, ports);
      console.log(
        `Forgotten in ${roomId}: ${events} events, ${stateChanges} rows of the state log and ${lines} of its lines. ` +
          'The database uses their space again, but does not get smaller.',
      );
    });
  });

async function purge(config: Config, order: PurgeOrder, ports: Ports): Promise<Counts> {
  const localServers = await loadLocalServers(config, ports.random);
  const answer = await askRunningServer(config, localServers, ports, (nonce, secret) => {
    const subjects = [order.roomId, order.before];
    const mac = orderMac(secret, { nonce, order: '/purge_history', subjects });
    const body = { nonce, mac, room_id: order.roomId, before: order.before };
    return { path: '/purge_history', body, timeoutMs: purgeTimeoutMs };
  });
  if (answer === undefined) return purgeInDatabase(config, order, localServers, ports);
  const { events, state_changes: stateChanges, state_lines: lines } = answer;
  return { events: Number(events), stateChanges: Number(stateChanges), lines: Number(lines) };
}

interface Counts {
  readonly events: number;
  readonly stateChanges: number;
  readonly lines: number;
}

async function purgeInDatabase(
  config: Config,
  { roomId, before }: PurgeOrder,
  localServers: LocalServers,
  ports: Ports,
): Promise<Counts> {
  const db = await openDatabase(databaseOptions(config), ports);
  try {
    await bindServerName(db, config.serverName);
    const { clock, timers, random } = ports;
    const names = new Names(db);
    const dags = createRoomDags(db, names, { hotRoomsMax: 1, timers });
    // Nobody joins or reads here, so nobody's profile or settings are asked for, and nobody is shown anything.
    const members: Members = {
      memberProfile: () => Promise.resolve({}),
      withCopiedSettings: (_user, _from, _to, work) => work(() => undefined),
    };
    const ignored = new IgnoredUsers(db);
    const erasures = { erasedSince: () => undefined };
    const invitePermissions = { of: () => Promise.resolve(everybodyMayInvite), mustBeAccepted: () => false };
    const people = { members, ignored, invitePermissions, erasures };
    const remote = {
      remoteMemberships: noRemoteMemberships,
      remoteAliases: noRemoteAliases,
      remoteSpaces: noRemoteSpaces,
      policyServers: noPolicyServers,
      remoteHistory: noRemoteHistory,
    };
    const ctx = createRoomsContext({
      db,
      names,
      dags,
      localServers,
      ...people,
      ...remote,
      encryptByDefault: 'off',
      clock,
      random,
    });
    return await purgeHistory(ctx, roomId, before);
  } finally {
    await db.close();
  }
}
