import type { SigningKey } from '../matrix/crypto/ed25519.ts';
import type { ServerName } from '../matrix/ids/ids.ts';

/** A key that signed in the past and signs no longer. */
export interface OldSigningKey {
  readonly keyId: string;
  /** Unpadded Base64. */
  readonly publicKey: string;
  readonly expiredTs: number;
}
export interface LocalServer {
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly oldSigningKeys: readonly OldSigningKey[];
}

/**
 * The server names that are ours. Nothing else in the program compares with a configured name, so that one process can serve
 * several.
 */
export class LocalServers {
  readonly #servers: Map<string, LocalServer>;
  /** The name of what belongs to no room or user, such as the answer to a request without a Host header. */
  readonly main: ServerName;

  /** The first one is the main one. */
  constructor(servers: readonly [LocalServer, ...LocalServer[]]) {
    this.#servers = new Map(servers.map((server) => [server.serverName, server]));
    if (this.#servers.size !== servers.length) throw new Error('two local servers have the same name');
    this.main = servers[0].serverName;
  }

  isLocal(serverName: string): boolean {
    return this.#servers.has(serverName);
  }

  /** Throws for a name that is not ours. */
  signingKeyOf(serverName: string): SigningKey {
    return this.#get(serverName).signingKey;
  }

  oldSigningKeysOf(serverName: string): readonly OldSigningKey[] {
    return this.#get(serverName).oldSigningKeys;
  }

  /** From now on the name signs with this key. */
  replaceKeys(serverName: string, keys: Pick<LocalServer, 'signingKey' | 'oldSigningKeys'>): void {
    this.#servers.set(serverName, { ...this.#get(serverName), ...keys });
  }

  names(): readonly ServerName[] {
    return [...this.#servers.values()].map(({ serverName }) => serverName);
  }

  #get(serverName: string): LocalServer {
    const server = this.#servers.get(serverName);
    if (server === undefined) throw new Error(`${serverName} is not a name of this server`);
    return server;
  }
}
