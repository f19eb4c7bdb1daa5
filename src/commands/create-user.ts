import { createAccounts } from '../accounts/index.ts';
import { noRemoteProfiles } from '../accounts/no-remote-profiles.ts';
import { operatorSecret, registrationMac } from '../accounts/shared-secret.ts';
import { Mailer } from '../mail/mailer.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import { loadLocalServers } from '../platform/load-local-servers.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Ports } from '../platform/ports.ts';
import { noMailTransport } from '../platform/smtp.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { Names } from '../storage/names.ts';
import { openDatabase } from '../storage/open.ts';
import { bindServerName } from '../storage/server-facts.ts';
import { askRunningServer } from './running-server.ts';

export interface UserToCreate {
  readonly username: string;
  readonly password: string;
  readonly isAdmin: boolean;
}
export interface CreatedUser {
  readonly userId: string;
  /** Who wrote it: a running server, or this process. */
  readonly by: 'server' | 'database';
}

/**
 * Makes an account, whether the server runs or not.
 *
 * A running server is asked to make the account. Where none answers, the database is opened like a server would, which
 * fails if one runs after all.
 *
 * Throws MatrixError when there cannot be such an account, DatabaseRefused when a server runs that could not be reached.
 */
export async function createUser(config: Config, user: UserToCreate, ports: Ports): Promise<CreatedUser> {
  const localServers = await loadLocalServers(config, ports.random);
  const answer = await askRunningServer(config, localServers, ports, (nonce, secret) => ({
    path: '/register',
    body: signedBody(secret, nonce, user),
  }));
  const userId = answer?.['user_id'];
  if (typeof userId === 'string') return { userId, by: 'server' };
  return { userId: await writeToDatabase(config, user, localServers, ports), by: 'database' };
}

async function writeToDatabase(
  config: Config,
  { username, password, isAdmin }: UserToCreate,
  localServers: LocalServers,
  ports: Ports,
): Promise<string> {
  const db = await openDatabase(databaseOptions(config), ports);
  try {
    await bindServerName(db, config.serverName);
    const { clock, timers, random } = ports;
    const accounts = createAccounts({
      db,
      names: new Names(db),
      localServers,
      config,
      attempts: undefined,
      mailer: new Mailer(config.email, noMailTransport),
      // A new account is in no room.
      profilePropagation: { profileChanged: () => Promise.resolve() },
      remoteProfiles: noRemoteProfiles,
      departure: { leaveAllRooms: () => Promise.resolve() },
      outgoingDevices: { devicesChanged() {} },
      clock,
      timers,
      random,
    });
    const secret = operatorSecret(localServers.signingKeyOf(localServers.main));
    const nonce = accounts.operator.issueNonce();
    const signed = { nonce, username, password, isAdmin, userType: undefined };
    const client = { address: '127.0.0.1', userAgent: undefined };
    const { userId } = await accounts.operator.register({
      ...signed,
      mac: registrationMac(secret, signed),
      displayName: undefined,
      inhibitLogin: true,
      session: { deviceId: undefined, initialDeviceDisplayName: undefined, canRefresh: false, client },
    });
    await accounts.close();
    return userId;
  } finally {
    await db.close();
  }
}

function signedBody(secret: string, nonce: string, { username, password, isAdmin }: UserToCreate): JsonObject {
  const mac = registrationMac(secret, { nonce, username, password, isAdmin, userType: undefined });
  return { nonce, username, password, admin: isAdmin, mac };
}
