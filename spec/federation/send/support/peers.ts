/** Other servers, as far as they are sent transactions: each takes them, fails, hangs, or refuses single events. */
import type { FederationClient, FederationRequest } from '../../../../src/federation/contract.ts';
import { FederationError, type FederationFailure } from '../../../../src/federation/federation-error.ts';
import { eventId } from '../../../../src/matrix/crypto/reference-hash.ts';
import type { EventId, ServerName } from '../../../../src/matrix/ids/ids.ts';
import { canonicalJson } from '../../../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import { findRoomVersion } from '../../../../src/matrix/room-versions/table.ts';

export interface SentEdu {
  readonly edu_type: string;
  readonly content: JsonObject;
}
export interface SentTransaction {
  readonly destination: ServerName;
  readonly txnId: string;
  readonly text: string;
  readonly eventIds: readonly EventId[];
  readonly pdus: readonly JsonObject[];
  readonly edus: readonly SentEdu[];
  readonly isUrgent: boolean;
}

export class Peers implements Pick<FederationClient, 'request'> {
  /** What they took, oldest first. */
  readonly taken: SentTransaction[] = [];
  /** Whatever became of it. */
  readonly attempts: SentTransaction[] = [];
  readonly down = new Map<string, FederationFailure>();
  /** They take it, and the answer is lost. */
  readonly forgetful = new Set<string>();
  readonly hanging = new Set<string>();
  /** As the client knows it. */
  readonly backingOffMs = new Map<string, number>();
  readonly refused = new Set<EventId>();
  /** Events that they cannot read: a transaction with one of them is answered with 400. */
  readonly unreadable = new Set<EventId>();
  /** What they take in bytes at most, by name: larger transactions are answered with 413. */
  readonly bytesMax = new Map<string, number>();
  mostAtOnce = 0;
  #atOnce = 0;
  readonly #hung: { readonly destination: string; readonly go: () => void }[] = [];

  async request(request: FederationRequest): Promise<JsonObject> {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    try {
      return await this.#answer(request);
    } finally {
      this.#atOnce -= 1;
    }
  }

  /** Those that hang answer. */
  release(): void {
    this.hanging.clear();
    for (const { go } of this.#hung.splice(0)) go();
  }
  releaseOne(destination: string): void {
    this.hanging.delete(destination);
    for (const hung of this.#hung) if (hung.destination === destination) hung.go();
  }

  to(destination: string): SentTransaction[] {
    return this.taken.filter((transaction) => transaction.destination === destination);
  }
  eventsTo(destination: string): EventId[] {
    return this.to(destination).flatMap(({ eventIds }) => eventIds);
  }
  edusTo(destination: string, type: string): JsonObject[] {
    return this.to(destination).flatMap(({ edus }) =>
      edus.filter((edu) => edu.edu_type === type).map(({ content }) => content),
    );
  }

  async #answer(request: FederationRequest): Promise<JsonObject> {
    const { destination, signal } = request;
    const transaction = transactionOf(request);
    this.attempts.push(transaction);
    // As on a network: never at once.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (this.hanging.has(destination)) {
      const released = Promise.withResolvers<void>();
      const onAbort = (): void => released.reject(new FederationError(destination, 'unreachable', 'it was given up'));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#hung.push({ destination, go: released.resolve });
      await released.promise;
    }
    const failure = this.down.get(destination);
    if (failure !== undefined) throw new FederationError(destination, failure, 'no route to it');
    const status = this.#faultOf(transaction);
    if (status !== undefined) throw new FederationError(destination, 'answered', 'it cannot be read', { status });
    this.taken.push(transaction);
    if (this.forgetful.has(destination)) throw new FederationError(destination, 'unreachable', 'the answer was lost');
    const results = transaction.eventIds.map((id) => [id, this.refused.has(id) ? { error: 'not that one' } : {}]);
    return { pdus: Object.fromEntries(results) as JsonObject };
  }

  #faultOf({ destination, eventIds, text }: SentTransaction): number | undefined {
    if (eventIds.some((id) => this.unreadable.has(id))) return 400;
    return text.length > (this.bytesMax.get(destination) ?? Infinity) ? 413 : undefined;
  }
}

const rules = findRoomVersion('12')!;

function transactionOf({ destination, path, canonicalContent, isUrgent = false }: FederationRequest): SentTransaction {
  const text = canonicalContent?.toString() ?? '';
  const { pdus, edus = [] } = JSON.parse(text) as { pdus: JsonObject[]; edus?: SentEdu[] };
  if (canonicalJson(JSON.parse(text) as JsonObject) !== text) throw new Error(`not canonical: ${text}`);
  if (pdus.length > 50 || edus.length > 100) throw new Error('the transaction is too large');
  const eventIds = pdus.map((pdu) => eventId(pdu, rules));
  const txnId = decodeURIComponent(path.replace('/_matrix/federation/v1/send/', ''));
  return { destination, txnId, text, eventIds, pdus, edus, isUrgent };
}
