/** The federation of one server, without rooms: what it asks and is asked goes through a network of the test. */
import { createFederation, type Federation, type FederationSettings } from '../../src/federation/index.ts';
import type { LocalServers } from '../../src/platform/local-servers.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import type { OutgoingHttp } from '../../src/platform/ports.ts';
import type { Database } from '../../src/storage/database.ts';
import { streamingHttp } from './streaming-http.ts';
import { localServersOfTests } from './test-accounts.ts';
import { type TestPorts, testPorts } from './test-ports.ts';

export interface TestFederation extends Federation {
  readonly ports: TestPorts;
  readonly localServers: LocalServers;
  readonly metrics: Metrics;
  /** What failed in the background. */
  readonly failures: readonly unknown[];
  /** What an administrator is told. */
  readonly notices: readonly string[];
}

/** Called `test`, unless `localServers` says otherwise. */
export async function testFederation(
  db: Database,
  http: OutgoingHttp,
  options: {
    readonly settings?: Partial<FederationSettings>;
    readonly localServers?: LocalServers;
    readonly ports?: TestPorts;
  } = {},
): Promise<TestFederation> {
  const ports = options.ports ?? testPorts(1, { http });
  const localServers = options.localServers ?? localServersOfTests();
  const metrics = new Metrics({ process: false });
  const failures: unknown[] = [];
  const notices: string[] = [];
  const federation = await createFederation({
    ...ports,
    db,
    http: streamingHttp(http),
    localServers,
    metrics,
    settings: { ...openToAll, ...options.settings },
    signingKeyPath: '/nowhere/signing.key',
    version: '0.0.0',
    onNotice: (message) => void notices.push(message),
    onFailed: (error) => void failures.push(error),
  });
  return { ...federation, ports, localServers, metrics, failures, notices };
}

const nobody = { both: [], incoming: [], outgoing: [] };
const openToAll: FederationSettings = {
  enabled: true,
  allow: undefined,
  deny: nobody,
  trustedKeyServers: [],
  pinnedKeys: {},
  signedList: {
    url: undefined,
    authorities: [],
    signers: [],
    refreshMinutes: 60,
    whenExpired: 'keep',
    beside: [],
  },
};
