/** Transactions of other servers, from their bytes to events that are known to be genuine: what the main thread does for that. */
import type { UnverifiedBody } from '../../src/federation/contract.ts';
import { KnownKeys, placeOf } from '../../src/federation/keys/known-keys.ts';
import { VerifyKeys } from '../../src/federation/keys/verify-keys.ts';
import { ThreadedVerifier } from '../../src/federation/verify/threaded-verifier.ts';
import { VerifyThreads } from '../../src/federation/verify/verify-threads.ts';
import { verifyKeyOf } from '../../src/matrix/crypto/ed25519.ts';
import { parseXMatrix, signRequest } from '../../src/matrix/crypto/x-matrix.ts';
import type { RoomId, ServerName } from '../../src/matrix/ids/ids.ts';
import { canonicalJson } from '../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import { testSigningKey } from '../support/keys.ts';
import { remoteMessage, remoteRoomId, rulesOf } from '../support/remote-pdus.ts';
import type { Measurement, Scenario } from './measurement.ts';
import { normalised, Reference, threadCpuUs } from './reference.ts';

const pdusPerTransaction = 50;
const version = '10';
const origin = 'peer.test' as ServerName;
const key = testSigningKey(origin);

export const verify: Scenario = async (bench) => {
  const rounds = Math.max(2, bench.sizes.messages);
  bench.say(`verify: ${rounds} transactions of ${pdusPerTransaction} events`);
  const known = { keyId: key.keyId, key: verifyKeyOf(key), validUntilTs: Infinity, isOld: false };
  const keys = new KnownKeys(new Map([[placeOf(origin, key.keyId), known]]));
  const verifyKeys = new VerifyKeys(10);
  const threads = new VerifyThreads(threadWorkers, 1, { keysMax: 10 });
  const verifier = new ThreadedVerifier({ threads, keyRing: { load: async () => keys }, verifyKeys });
  try {
    const bodies = Array.from({ length: 8 }, (_, index) => transaction(index));
    const run = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        const body = bodies[round % bodies.length];
        if (body !== undefined) await take(verifier, body);
      }
    };
    await run(rounds);
    const reference = Reference.before();
    const before = threadCpuUs();
    await run(rounds);
    const us = (threadCpuUs() - before) / (rounds * pdusPerTransaction);
    return [measurement(us, normalised(us, reference.stop()))];
  } finally {
    await verifier.close();
  }
};

const measurement = (value: number, normalisedValue: number): Measurement => ({
  scenario: 'verify',
  what: `main thread, per event in transactions of ${pdusPerTransaction}`,
  unit: 'µs',
  value,
  normalised: normalisedValue,
  atMost: 10,
});

async function take(verifier: ThreadedVerifier, body: UnverifiedBody): Promise<void> {
  const opened = await verifier.open(body);
  const verified = (await opened.rooms.get(remoteRoomId as RoomId)?.verify(rulesOf(version))) ?? [];
  opened.close();
  if (verified.length !== pdusPerTransaction || !verified.every(({ received }) => received.ok))
    throw new Error('an event was not genuine');
}

function transaction(index: number): UnverifiedBody {
  const pdus = Array.from({ length: pdusPerTransaction }, (_, at) =>
    remoteMessage({ name: origin, key }, version, `Message ${index} ${at}, of ordinary length and with nothing in it.`),
  );
  const content: JsonObject = { origin, origin_server_ts: 1, pdus };
  const request = { method: 'PUT', uri: `/_matrix/federation/v1/send/${index}`, origin, destination: origin };
  const sig = parseXMatrix(signRequest({ ...request, content }, key))?.sig ?? '';
  return {
    bytes: Buffer.from(canonicalJson(content)),
    signature: { ...request, signatures: [{ keyId: key.keyId, sig, publicKey: key.publicKey }] },
    confirm: () => undefined,
  };
}
