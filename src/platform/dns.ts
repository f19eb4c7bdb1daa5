import { lookup, Resolver } from 'node:dns/promises';
import type { Dns } from './ports.ts';

export interface DnsOptions {
  /** Of one question to one name server. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** "192.0.2.1" or "192.0.2.1:5353", in place of the system's. */
  readonly servers?: readonly string[];
}

/**
 * Addresses come from the system's resolver (so /etc/hosts counts), SRV records from the configured name servers.
 * A name without SRV records gives an empty list; every other failure is an error with node's `code`.
 */
export function systemDns(options: DnsOptions = {}): Dns {
  const resolver = new Resolver({ timeout: options.timeoutMs ?? 5_000, tries: options.tries ?? 2 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
  return {
    async lookup(host) {
      const found = await lookup(host, { all: true, order: 'verbatim' });
      return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
    },
    async srv(name) {
      try {
        return await resolver.resolveSrv(name);
      } catch (error) {
        if (hasCode(error, 'ENOTFOUND') || hasCode(error, 'ENODATA')) return [];
        throw error;
      }
    },
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
