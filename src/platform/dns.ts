import { lookup, Resolver } from 'node:dns/promises';
import type { Dns } from './ports.ts';

/**
 * Addresses come from the system's resolver (so /etc/hosts counts), SRV records from the configured name servers.
 * A name without SRV records gives an empty list; every other failure is an error with node's `code`.
 */
export function systemDns(options: { readonly timeoutMs?: number; readonly tries?: number } = {}): Dns {
  const resolver = new Resolver({ timeout: options.timeoutMs ?? 5_000, tries: options.tries ?? 2 });
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
