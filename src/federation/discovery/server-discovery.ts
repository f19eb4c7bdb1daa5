/** https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { parseServerName, type ServerNameParts } from '../../matrix/ids/server-name.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock, Dns, OutgoingHttp, Random } from '../../platform/ports.ts';
import { inSrvOrder, type SrvRecord } from './srv-order.ts';
import { WellKnown } from './well-known.ts';

/** Where to reach a server. */
export interface ServerAddress {
  /** A name or an address; without brackets. */
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  /** The name or the address that the certificate must be valid for. */
  readonly certificateName: string;
}

export interface ServerDiscoveryParts {
  readonly http: OutgoingHttp;
  readonly dns: Pick<Dns, 'srv'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'int'>;
}

/** Finds out where servers are, and remembers it. */
export class ServerDiscovery {
  readonly #parts: ServerDiscoveryParts;
  readonly #wellKnown: WellKnown;
  readonly #services = new Lru<string, Services>({ sizeMax: limits.knownDestinationsMax });

  constructor(parts: ServerDiscoveryParts) {
    this.#parts = parts;
    this.#wellKnown = new WellKnown(parts);
  }

  /** At least one place; further ones are to be tried when the one before takes no connection. Never rejects. */
  async find(server: ServerName): Promise<readonly [ServerAddress, ...ServerAddress[]]> {
    const name = parseServerName(server);
    if (name === undefined) throw new Error(`${server} is no server name`);
    if (name.isIpLiteral || name.port !== undefined) return [fixedAddress(name)];
    const delegate = await this.#wellKnown.find(name.host.toLowerCase());
    return this.#addressesOf(delegate ?? name);
  }

  /** The server could not be reached where it was said to be: what could not be found out about it is asked for again the next time. */
  doubt(server: ServerName): void {
    const name = parseServerName(server);
    if (name === undefined || name.isIpLiteral || name.port !== undefined) return;
    const delegate = this.#wellKnown.doubt(name.host.toLowerCase());
    const host = (delegate ?? name).host.toLowerCase();
    const known = this.#services.find(host);
    if (known?.isFailed === true) this.#services.set(host, { ...known, untilMs: 0 });
  }

  async #addressesOf(name: ServerNameParts): Promise<readonly [ServerAddress, ...ServerAddress[]]> {
    if (name.isIpLiteral || name.port !== undefined) return [fixedAddress(name)];
    const { host } = name;
    const [first, ...others] = inSrvOrder(await this.#findServices(host.toLowerCase()), this.#parts.random);
    if (first === undefined) return [fixedAddress(name)];
    const at = ({ name: target, port }: SrvRecord): ServerAddress => ({
      host: target.replace(/\.$/, ''),
      port,
      hostHeader: host,
      certificateName: host,
    });
    return [at(first), ...others.slice(0, limits.srvTargetsMax - 1).map(at)];
  }

  /** Empty: there are none. */
  async #findServices(host: string): Promise<readonly SrvRecord[]> {
    const nowMs = this.#parts.clock.nowMs();
    const known = this.#services.find(host);
    if (known !== undefined && known.untilMs > nowMs) return known.records;
    let records: readonly SrvRecord[] = [];
    let isFailed = false;
    for (const service of ['_matrix-fed._tcp', '_matrix._tcp']) {
      records = await this.#parts.dns.srv(`${service}.${host}`).catch(() => {
        isFailed = true;
        return [];
      });
      if (records.length > 0) break;
    }
    // That nobody answered does not say that there are none.
    if (isFailed && records.length === 0) records = known?.records ?? [];
    // A single dot says that the service is not to be had there, and then nobody knows where it is.
    const usable = records.filter(({ name, port }) => name !== '' && name !== '.' && port > 0);
    this.#services.set(host, { records: usable, untilMs: nowMs + limits.srvFreshMs, isFailed });
    return usable;
  }
}

interface Services {
  readonly records: readonly SrvRecord[];
  readonly untilMs: number;
  /** Whether some name server gave no answer. */
  readonly isFailed: boolean;
}

const federationPort = 8448;

/** What is said by the name alone. */
function fixedAddress({ host, port, isIpLiteral }: ServerNameParts): ServerAddress {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return {
    host: bare,
    port: port ?? federationPort,
    hostHeader: port === undefined ? host : `${host}:${port}`,
    certificateName: isIpLiteral ? bare : host,
  };
}
