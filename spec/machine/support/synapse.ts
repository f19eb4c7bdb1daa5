/** Synapse as Debian packages it, in a folder with a system of its own, from which it is started with its names and data put in. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, copyFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import type { CertificateFiles } from './authority.ts';
import { Daemon } from './daemon.ts';

/** Where that system is; CONTRIBUTING.md says how to make one. */
const systemFolder = process.env['VECHE_TEST_SYNAPSE'] ?? '/opt/veche-test/sid';

export interface SynapseOptions {
  /** With the port at which other servers find it, which is on the loopback address. */
  readonly serverName: string;
  readonly federationPort: number;
  readonly certificate: CertificateFiles;
  /** Path of the certificate of the only authority that it trusts. */
  readonly authority: string;
  /** Path of a file that takes the place of /etc/hosts. */
  readonly hosts: string;
  readonly sharedSecret: string;
}

/** Throws a sentence when there is no Synapse. */
export function expectSynapse(): void {
  if (process.getuid?.() !== 0) throw new Error('This test needs root, for a Synapse in a folder of its own');
  if (!existsSync(join(systemFolder, 'usr/lib/python3/dist-packages/synapse')))
    throw new Error(`This test needs Debian's matrix-synapse in ${systemFolder}: see CONTRIBUTING.md`);
}

/** To be closed by whoever starts it. */
export class Synapse {
  readonly serverName: string;
  /** For clients; the same after every start. */
  readonly url: string;
  readonly #hosts: string;
  readonly #data = mkdtempSync(join(tmpdir(), 'veche-synapse-'));
  readonly #daemon = new Daemon('Synapse');

  private constructor(options: SynapseOptions, clientPort: number) {
    this.serverName = options.serverName;
    this.url = `http://127.0.0.1:${clientPort}`;
    this.#hosts = options.hosts;
    this.#write(options, clientPort);
  }

  /** Rejects with a sentence where there is none, and with what it said when it does not start. */
  static async start(options: SynapseOptions): Promise<Synapse> {
    expectSynapse();
    const synapse = new Synapse(options, await freePort());
    try {
      await synapse.start();
      return synapse;
    } catch (error) {
      await synapse.close();
      throw error;
    }
  }

  async start(): Promise<void> {
    const mounts = `mount --bind "$1" "$0/etc/hosts" && mount --bind "$2" "$0/mnt"`;
    const program = '/usr/bin/python3 -m synapse.app.homeserver -c /mnt/homeserver.yaml';
    const script = `${mounts} && exec chroot "$0" ${program}`;
    // The mounts are its own and go with it.
    const args = ['--mount', 'sh', '-c', script, systemFolder, this.#hosts, this.#data];
    await this.#daemon.start(
      'unshare',
      args,
      () => answers(this.url),
      () => this.log,
    );
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true });
  }

  /** What it has logged so far. */
  get log(): string {
    const path = join(this.#data, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  #write(options: SynapseOptions, clientPort: number): void {
    const { certificate, privateKey } = options.certificate;
    copyFileSync(certificate, join(this.#data, 'tls.pem'));
    copyFileSync(privateKey, join(this.#data, 'tls.key'));
    copyFileSync(options.authority, join(this.#data, 'authority.pem'));
    mkdirSync(join(this.#data, 'media'));
    const seed = randomBytes(32).toString('base64').replaceAll('=', '');
    writeFileSync(join(this.#data, 'signing.key'), `ed25519 a_1 ${seed}\n`);
    // What is JSON is YAML.
    writeFileSync(join(this.#data, 'homeserver.yaml'), JSON.stringify(configuration(options, clientPort)));
    writeFileSync(join(this.#data, 'log.yaml'), JSON.stringify(logging));
  }
}

const logging = {
  version: 1,
  formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s %(message)s' } },
  handlers: { file: { class: 'logging.FileHandler', filename: '/mnt/log', formatter: 'line' } },
  root: { level: 'INFO', handlers: ['file'] },
  disable_existing_loggers: false,
};

function configuration({ serverName, federationPort, sharedSecret }: SynapseOptions, clientPort: number): object {
  const listener = { type: 'http', bind_addresses: ['127.0.0.1'] };
  const unlimited = { per_second: 9_999, burst_count: 9_999 };
  return {
    server_name: serverName,
    public_baseurl: `http://127.0.0.1:${clientPort}`,
    report_stats: false,
    signing_key_path: '/mnt/signing.key',
    media_store_path: '/mnt/media',
    log_config: '/mnt/log.yaml',
    database: { name: 'sqlite3', args: { database: '/mnt/homeserver.db' } },
    listeners: [
      { ...listener, port: clientPort, resources: [{ names: ['client'] }] },
      { ...listener, port: federationPort, tls: true, resources: [{ names: ['federation', 'keys'] }] },
    ],
    tls_certificate_path: '/mnt/tls.pem',
    tls_private_key_path: '/mnt/tls.key',
    federation_custom_ca_list: ['/mnt/authority.pem'],
    federation_ip_range_blacklist: [],
    ip_range_blacklist: [],
    trusted_key_servers: [],
    registration_shared_secret: sharedSecret,
    macaroon_secret_key: sharedSecret,
    form_secret: sharedSecret,
    bcrypt_rounds: 4,
    allow_device_name_lookup_over_federation: true,
    rc_message: unlimited,
    rc_registration: unlimited,
    rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
    rc_joins: { local: unlimited, remote: unlimited },
    rc_joins_per_room: unlimited,
    rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/_matrix/client/versions`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 200;
}
