import type { Config } from './config/config.ts';
import { LocalServers } from './local-servers.ts';
import type { Random } from './ports.ts';
import { loadSigningKey } from './signing-key-file.ts';

/** The server of the configuration, with its key (made at the first start). */
export async function loadLocalServers(
  config: Pick<Config, 'serverName' | 'signingKeyPath' | 'oldSigningKeys'>,
  random: Random,
): Promise<LocalServers> {
  const { serverName, signingKeyPath, oldSigningKeys } = config;
  return new LocalServers([{ serverName, signingKey: await loadSigningKey(signingKeyPath, random), oldSigningKeys }]);
}
