/**
 * npm run rotate-signing-key -- [--config FILE]: a new key signs from now on, and the one before is published as an old one, whether
 * the server runs or not.
 */
import { orderMac } from '../accounts/shared-secret.ts';
import { OwnKeyRotation, type Rotated } from '../federation/keys/own-key-rotation.ts';
import { type Config, loadConfig } from '../platform/config/config.ts';
import { loadLocalServers } from '../platform/load-local-servers.ts';
import type { Ports } from '../platform/ports.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { openDatabase } from '../storage/open.ts';
import { bindServerName } from '../storage/server-facts.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';
import { askRunningServer, withPortsOfCommand } from './running-server.ts';

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage: 'npm run rotate-signing-key -- [--config FILE]',
      options: { config: { type: 'string' } },
    });
    await withPortsOfCommand(async (ports) => {
      const { keyId, oldKeyId } = await rotateSigningKey(loadConfig(options.config), ports);
      console.log(
        `${keyId} signs from now on. ${oldKeyId} is published as an old key, and what it signed stays valid. ` +
          'Make a new backup: older ones have the old key.',
      );
    });
  });

/** A running server does it itself. Throws DatabaseRefused when one runs that could not be reached. */
export async function rotateSigningKey(config: Config, ports: Ports): Promise<Rotated> {
  const localServers = await loadLocalServers(config, ports.random);
  const answer = await askRunningServer(config, localServers, ports, (nonce, secret) => {
    const mac = orderMac(secret, { nonce, order: '/rotate_signing_key', subjects: [] });
    return { path: '/rotate_signing_key', body: { nonce, mac } };
  });
  const { key_id: keyId, old_key_id: oldKeyId } = answer ?? {};
  if (typeof keyId === 'string' && typeof oldKeyId === 'string') return { keyId, oldKeyId };
  const db = await openDatabase(databaseOptions(config), ports);
  try {
    await bindServerName(db, config.serverName);
    const { clock, random } = ports;
    const { signingKeyPath } = config;
    return await new OwnKeyRotation({
      db,
      localServers,
      clock,
      random,
      signingKeyPath,
      onRotated: () => undefined,
    }).rotate();
  } finally {
    await db.close();
  }
}
