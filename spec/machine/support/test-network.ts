/**
 * Hosts in network namespaces of their own, joined by a switch in a further one that nothing leads out of; names are answered by a name
 * server there. Each host also has a line to this side, for its clients. Wants root and iproute2.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Zone } from './name-server-process.ts';

const nameServerProgram = fileURLToPath(new URL('name-server-process.ts', import.meta.url));
const middle = 'veche-net';

/** All addresses between hosts. */
export const networkRanges = ['10.232.0.0/24', 'fd00:232::/64'] as const;

export interface Host {
  readonly namespace: string;
  /** Among the hosts. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** For clients on this side. */
  readonly clientAddress: string;
  /** A program and its arguments go behind it: what it starts runs in the namespace and has the process id of what was started. */
  readonly launcher: readonly string[];
}

export class TestNetwork {
  readonly hosts: readonly Host[];
  readonly folder = mkdtempSync(join(tmpdir(), 'veche-net-'));
  #nameServer: ChildProcess | undefined;

  private constructor(count: number) {
    const resolver = join(this.folder, 'resolv.conf');
    writeFileSync(resolver, 'nameserver 10.232.0.253\n');
    // Such a command has the mounts for itself.
    const resolving = ['sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', resolver];
    this.hosts = Array.from({ length: count }, (_, index) => {
      const [number, namespace] = [index + 1, `${middle}-${index + 1}`];
      return {
        namespace,
        ipv4: `10.232.0.${number}`,
        ipv6: `fd00:232::${number}`,
        clientAddress: `10.232.${number}.2`,
        launcher: ['ip', 'netns', 'exec', namespace, ...resolving],
      };
    });
  }

  /** Rejects with a sentence where something is missing. `count`: of hosts, at most nine. */
  static async open(count: number, zone: (hosts: readonly Host[]) => Zone): Promise<TestNetwork> {
    if (process.getuid?.() !== 0) throw new Error('This test needs root, for network namespaces');
    if (spawnSync('ip', ['-V']).status !== 0)
      throw new Error('This test needs iproute2; on Debian: apt-get install iproute2');
    const network = new TestNetwork(count);
    try {
      network.#removeNamespaces();
      network.#addSwitch();
      for (const [index, host] of network.hosts.entries()) network.#addHost(index + 1, host);
      await network.#startNameServer(zone(network.hosts));
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** Nothing gets from the host to the others or back any more; nobody is told. Its line to its clients stays. */
  cut(host: Host): void {
    this.#setPort(host, 'down');
  }

  mend(host: Host): void {
    this.#setPort(host, 'up');
  }

  async close(): Promise<void> {
    const nameServer = this.#nameServer;
    if (nameServer?.exitCode === null) {
      nameServer.kill('SIGKILL');
      await once(nameServer, 'exit');
    }
    this.#removeNamespaces();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #setPort(host: Host, state: 'up' | 'down'): void {
    inside(middle, 'link', 'set', `to${this.hosts.indexOf(host) + 1}`, state);
  }

  #addSwitch(): void {
    ip('netns', 'add', middle);
    inside(middle, 'link', 'set', 'lo', 'up');
    inside(middle, 'link', 'add', 'switch', 'type', 'bridge');
    inside(middle, 'addr', 'add', '10.232.0.253/24', 'dev', 'switch');
    inside(middle, 'link', 'set', 'switch', 'up');
  }

  #addHost(number: number, { namespace, ipv4, ipv6, clientAddress }: Host): void {
    ip('netns', 'add', namespace);
    inside(namespace, 'link', 'set', 'lo', 'up');
    inside(middle, 'link', 'add', `to${number}`, 'type', 'veth', 'peer', 'name', 'servers', 'netns', namespace);
    inside(middle, 'link', 'set', `to${number}`, 'master', 'switch', 'up');
    inside(namespace, 'addr', 'add', `${ipv4}/24`, 'dev', 'servers');
    inside(namespace, 'addr', 'add', `${ipv6}/64`, 'dev', 'servers', 'nodad');
    inside(namespace, 'link', 'set', 'servers', 'up');
    const here = `vclients${number}`;
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', 'clients', 'netns', namespace);
    ip('addr', 'add', `10.232.${number}.1/24`, 'dev', here);
    ip('link', 'set', here, 'up');
    inside(namespace, 'addr', 'add', `${clientAddress}/24`, 'dev', 'clients');
    inside(namespace, 'link', 'set', 'clients', 'up');
  }

  async #startNameServer(zone: Zone): Promise<void> {
    const program = [process.execPath, nameServerProgram, '10.232.0.253', JSON.stringify(zone)];
    const child = spawn('ip', ['netns', 'exec', middle, ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#nameServer = child;
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the name server ended before it was ready'))),
    ]);
  }

  #removeNamespaces(): void {
    for (const name of [middle, ...this.hosts.map(({ namespace }) => namespace)])
      try {
        execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
      } catch {
        // It was not there.
      }
  }
}

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const inside = (namespace: string, ...args: readonly string[]): string => ip('-n', namespace, ...args);
