/** Talking to other servers. https://spec.matrix.org/v1.19/server-server-api/ */
import { availableParallelism } from 'node:os';
import type { LocalServers } from '../platform/local-servers.ts';
import { limits } from '../platform/limits.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock, Dns, Random, StreamingHttp, Timers, Workers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import { Destinations } from './client/destinations.ts';
import { SigningClient } from './client/federation-client.ts';
import { RemoteHttp } from './client/remote-http.ts';
import type { FederationClient, PduVerifier, StateOpener, TransactionOpener } from './contract.ts';
import { ServerDiscovery } from './discovery/server-discovery.ts';
import { RequestAuthenticator } from './incoming/request-authenticator.ts';
import { RemoteMedia } from './media/remote-media.ts';
import { KeyFetcher } from './keys/key-fetcher.ts';
import { OwnKeyRotation } from './keys/own-key-rotation.ts';
import { Notary } from './keys/notary.ts';
import { ServerKeyRing, type TrustedKeys } from './keys/key-ring.ts';
import { VerifyKeys } from './keys/verify-keys.ts';
import { ThreadedVerifier } from './verify/threaded-verifier.ts';
import { VerifyThreads } from './verify/verify-threads.ts';
import { FederationPolicy, type FederationPolicySettings } from './policy/federation-policy.ts';
import { SignedListFollower, type SignedListSettings } from './policy/signed-list/signed-list-follower.ts';

export interface FederationParts {
  readonly db: Database;
  readonly localServers: LocalServers;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly dns: Dns;
  readonly http: StreamingHttp;
  readonly workers: Workers;
  readonly metrics: Metrics;
  readonly settings: FederationSettings;
  /** The file of the main name's key. */
  readonly signingKeyPath: string;
  /** Of this software, for the User-Agent. */
  readonly version: string;
  /** What an administrator should know. */
  readonly onNotice: (message: string, details: object) => void;
  readonly onFailed: (error: unknown) => void;
}
export interface FederationSettings extends FederationPolicySettings, TrustedKeys {
  readonly signedList: SignedListSettings;
}

export interface Federation {
  readonly policy: FederationPolicy;
  readonly destinations: Destinations;
  readonly client: FederationClient;
  readonly media: RemoteMedia;
  readonly keyRing: ServerKeyRing;
  readonly ownKeys: OwnKeyRotation;
  readonly notary: Notary;
  /** Who makes requests to us. */
  readonly requests: RequestAuthenticator;
  readonly verifier: PduVerifier & TransactionOpener & StateOpener;
  readonly signedList: SignedListFollower;
  /** Throws OperatorError. What is returned makes the settings count; that federation is on or off stays. */
  prepare(settings: FederationSettings): () => void;
  close(): Promise<void>;
}

export async function createFederation(parts: FederationParts): Promise<Federation> {
  const { localServers, settings, metrics, version } = parts;
  const ownKeys = new OwnKeyRotation({ ...parts, onRotated: () => keyRing.ownKeysChanged() });
  await ownKeys.load();
  const policy: FederationPolicy = new FederationPolicy(settings, metrics, () => signedList.missed());
  const userAgent = `veche/${version}`;
  const signedList = new SignedListFollower({ ...parts, policy, userAgent });
  await signedList.start(settings.signedList);
  const destinations = await Destinations.load(parts);
  const discovery = new ServerDiscovery(parts);
  const remote = new RemoteHttp({ ...parts, policy, discovery, destinations });
  const client = new SigningClient(remote, localServers, userAgent);
  const verifyKeys = new VerifyKeys(limits.knownServerKeysMax);
  const fetcher = new KeyFetcher(remote, userAgent);
  const keyRing: ServerKeyRing = new ServerKeyRing({ ...parts, fetcher, verifyKeys, trust: settings });
  const requests = new RequestAuthenticator({
    ...parts,
    policy,
    keyRing,
    verifyKeys,
    heardFrom: (server) => destinations.heardFrom(server),
  });
  const threads = new VerifyThreads(parts.workers, verifyThreadsMax, { keysMax: limits.knownServerKeysMax });
  const verifier = new ThreadedVerifier({ threads, keyRing, verifyKeys });
  return {
    policy,
    destinations,
    client,
    media: new RemoteMedia({ ...parts, client, userAgent }),
    keyRing,
    notary: new Notary({ ...parts, keyRing }),
    requests,
    verifier,
    ownKeys,
    signedList,
    prepare(next) {
      const followList = signedList.prepare(next.signedList);
      return () => {
        policy.replace(next);
        keyRing.replace(next);
        followList();
      };
    },
    async close() {
      await signedList.close();
      await verifier.close();
      await destinations.close();
    },
  };
}

/** One core is left to the main thread. */
const verifyThreadsMax = Math.max(1, Math.min(limits.verifyThreadsMax, availableParallelism() - 1));
