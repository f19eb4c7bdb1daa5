/**
 * Three servers as people run them, each on a host of its own: one.test is found by a well-known file, two.test by SRV records, and
 * three.test:8451, which has IPv6 only, by its name. Their certificates come from an authority that only they trust.
 */
import { ServerProcess } from '../../support/server-process.ts';
import { Authority, type CertificateFiles } from './authority.ts';
import { type Host, networkRanges, TestNetwork } from './test-network.ts';

export const serverNames = ['one.test', 'two.test', 'three.test:8451'] as const;
export type ServerOfThree = (typeof serverNames)[number];

/** A name whose address is that of two.test, which has no certificate for it. */
export const misleadingName = 'four.test:8450';

export class ThreeServers {
  readonly #network: TestNetwork;
  readonly #processes = new Map<ServerOfThree, ServerProcess>();

  private constructor(network: TestNetwork) {
    this.#network = network;
  }

  /** Rejects with a sentence where something is missing, and with what a server printed when it does not start. */
  static async start(): Promise<ThreeServers> {
    const network = await TestNetwork.open(serverNames.length, ([one, two, three]) => ({
      'one.test': { a: one?.ipv4 ?? '' },
      'matrix.one.test': { a: one?.ipv4 ?? '' },
      '_matrix-fed._tcp.two.test': { srv: { port: 8450, target: 'host.two.test' } },
      'host.two.test': { a: two?.ipv4 ?? '', aaaa: two?.ipv6 ?? '' },
      'three.test': { aaaa: three?.ipv6 ?? '' },
      'four.test': { a: two?.ipv4 ?? '' },
    }));
    const servers = new ThreeServers(network);
    try {
      await servers.#startAll(Authority.make(network.folder));
      return servers;
    } catch (error) {
      await servers.close();
      throw error;
    }
  }

  of(name: ServerOfThree): ServerProcess {
    const server = this.#processes.get(name);
    if (server === undefined) throw new Error(`${name} was not started`);
    return server;
  }

  /** Cuts the server off from the others; its clients still reach it. */
  cut(name: ServerOfThree): void {
    this.#network.cut(this.#hostOf(name));
  }

  mend(name: ServerOfThree): void {
    this.#network.mend(this.#hostOf(name));
  }

  async close(): Promise<void> {
    for (const server of this.#processes.values()) await server.close();
    await this.#network.close();
  }

  async #startAll(authority: Authority): Promise<void> {
    const certificates = {
      'one.test': authority.issue(['one.test', 'matrix.one.test']),
      'two.test': authority.issue(['two.test']),
      'three.test:8451': authority.issue(['three.test']),
    };
    for (const name of serverNames) {
      const host = this.#hostOf(name);
      const environment = {
        VECHE_SERVER_NAME: name,
        VECHE_REGISTRATION__ENABLED: 'true',
        VECHE_FEDERATION__CA_CERTIFICATES: JSON.stringify([authority.certificate]),
        VECHE_FEDERATION__ALLOW_PRIVATE_ADDRESSES: JSON.stringify(networkRanges),
        ...(name === 'one.test' ? { VECHE_PUBLIC_BASE_URL: 'https://matrix.one.test:8449' } : {}),
        VECHE_LISTENERS: JSON.stringify(listenersOf(name, host, certificates[name])),
      };
      const clientsAt = { address: host.clientAddress, port: 8008 };
      const { launcher } = host;
      this.#processes.set(name, await ServerProcess.start({ command: 'start', environment, clientsAt, launcher }));
    }
  }

  #hostOf(name: ServerOfThree): Host {
    const host = this.#network.hosts[serverNames.indexOf(name)];
    if (host === undefined) throw new Error(`${name} has no host`);
    return host;
  }
}

function listenersOf(
  name: ServerOfThree,
  { clientAddress, ipv4, ipv6 }: Host,
  { certificate, privateKey }: CertificateFiles,
): readonly object[] {
  const tls = { certificate, private_key: privateKey };
  const clients = { bind: clientAddress, port: 8008, serve: ['client', 'media', 'admin', 'health', 'metrics'] };
  const all = ['client', 'media', 'federation'];
  switch (name) {
    case 'one.test':
      return [clients, { bind: ipv4, port: 8449, serve: all, tls }, { bind: ipv4, port: 443, serve: all, tls }];
    case 'two.test':
      return [clients, { bind: ipv4, port: 8450, serve: ['federation'], tls }];
    case 'three.test:8451':
      return [clients, { bind: ipv6, port: 8451, serve: ['federation'], tls }];
  }
}
