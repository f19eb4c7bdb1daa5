/** A server of ours, as people run it, and a Synapse, which find each other by name and trust one authority only. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CryptoPerson } from '../../journeys/support/crypto-person.ts';
import { freePort } from '../../support/free-port.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { requestJson } from '../../support/test-server.ts';
import { Authority } from './authority.ts';
import { expectSynapse, Synapse } from './synapse.ts';

const password = 'correct horse battery';
const sharedSecret = randomBytes(16).toString('hex');

/** What both are alike. */
export interface EitherServer {
  /** With its port. */
  readonly serverName: string;
  readonly url: string;
  /** Resolves when it is gone, whatever it was doing. */
  stop(): Promise<unknown>;
  /** On the data that it has. */
  start(): Promise<void>;
}

export interface VecheAndSynapse {
  readonly veche: EitherServer;
  readonly synapse: EitherServer;
  close(): Promise<void>;
}

/** Rejects with a sentence where something is missing, and with what a server said when it does not start. */
export async function startVecheAndSynapse(): Promise<VecheAndSynapse> {
  expectSynapse();
  const folder = mkdtempSync(join(tmpdir(), 'veche-and-synapse-'));
  const [hosts, authority] = [join(folder, 'hosts'), Authority.make(folder)];
  writeFileSync(hosts, '127.0.0.1 localhost veche.test synapse.test\n');
  const [vechePort, synapsePort] = [await freePort(), await freePort()];
  const veche = await startVeche(hosts, authority, vechePort);
  const synapse = await Synapse.start({
    serverName: `synapse.test:${synapsePort}`,
    federationPort: synapsePort,
    certificate: authority.issue(['synapse.test']),
    authority: authority.certificate,
    hosts,
    sharedSecret,
  }).catch(async (error: unknown) => {
    await veche.close();
    throw error;
  });
  return {
    veche: {
      serverName: `veche.test:${vechePort}`,
      url: veche.url,
      stop: () => veche.stop(),
      start: () => veche.start(),
    },
    synapse,
    async close() {
      await Promise.all([veche.close(), synapse.close()]);
      rmSync(folder, { recursive: true });
    },
  };
}

async function startVeche(hosts: string, authority: Authority, federationPort: number): Promise<ServerProcess> {
  const { certificate, privateKey } = authority.issue(['veche.test']);
  const tls = { certificate, private_key: privateKey };
  const port = await freePort();
  const environment = {
    VECHE_SERVER_NAME: `veche.test:${federationPort}`,
    VECHE_REGISTRATION__SHARED_SECRET: sharedSecret,
    VECHE_RATE_LIMITS__ENABLED: 'false',
    VECHE_ROOMS__ENCRYPT_BY_DEFAULT: 'off',
    VECHE_FEDERATION__CA_CERTIFICATES: JSON.stringify([authority.certificate]),
    VECHE_FEDERATION__ALLOW_PRIVATE_ADDRESSES: JSON.stringify(['127.0.0.0/8']),
    VECHE_LISTENERS: JSON.stringify([
      { bind: '127.0.0.1', port, serve: ['client', 'media', 'admin', 'health'] },
      { bind: '127.0.0.1', port: federationPort, serve: ['federation'], tls },
    ]),
  };
  // The mount is the server's own and goes with it.
  const launcher = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts];
  return ServerProcess.start({ command: 'start', environment, clientsAt: { address: '127.0.0.1', port }, launcher });
}

/** A new user, made by who knows the shared secret, with a first device. */
export async function register(server: EitherServer, name: string): Promise<CryptoPerson> {
  const path = '/_synapse/admin/v1/register';
  const { json } = await requestJson(server.url, 'GET', path);
  const nonce = String(json['nonce']);
  const mac = createHmac('sha1', sharedSecret).update([nonce, name, password, 'notadmin'].join('\0')).digest('hex');
  const body = { nonce, username: name, password, admin: false, mac };
  const { status, text } = await requestJson(server.url, 'POST', path, { body });
  if (status !== 200) throw new Error(`${name} could not be registered: ${text}`);
  return login(server, name);
}

/** A further device. */
export function login(server: EitherServer, name: string): Promise<CryptoPerson> {
  return CryptoPerson.login({ baseUrl: server.url, name, password });
}
