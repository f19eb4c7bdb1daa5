/**
 * One other server and what it is still to be sent: one transaction at a time, each until it is acknowledged.
 * https://spec.matrix.org/v1.19/server-server-api/#transactions
 */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import { deleteEdusFor, deleteSentEdus, deleteTargetedEvents, edusFor } from '../../storage/stores/outgoing-store.ts';
import { eventsByNids } from '../../storage/stores/timeline-store.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import { Backlog } from './backlog.ts';
import type { DestinationParts } from './destination-parts.ts';
import { eduText } from './edu-text.ts';
import { EphemeralQueue } from './ephemeral-queue.ts';
import type { OutgoingPdu } from './outgoing-pdu.ts';
import { retryDelayMs } from './retry-delay.ts';
import { type Transaction, type TransactionContent, eduPositionsIn, halvesOf, transactionBody } from './transaction.ts';

/** How it was the last time that the server was sent something. Milliseconds since the Unix epoch. */
export interface Contact {
  readonly failures: number;
  readonly firstFailureTs: number | undefined;
  readonly lastFailureTs: number | undefined;
  readonly lastError: string | undefined;
  readonly retryTs: number | undefined;
  readonly lastSuccessTs: number | undefined;
  /** Of the newest event that it took since this process began. */
  readonly lastSentPos: number | undefined;
}

const noContact: Contact = {
  failures: 0,
  firstFailureTs: undefined,
  lastFailureTs: undefined,
  lastError: undefined,
  retryTs: undefined,
  lastSuccessTs: undefined,
  lastSentPos: undefined,
};

export class Destination {
  readonly serverNid: number;
  readonly name: ServerName;
  readonly #parts: DestinationParts;
  readonly #backlog: Backlog;
  readonly #ephemeral = new EphemeralQueue();
  readonly #ended = new AbortController();
  #hasEdus = false;
  /** Sent, and not acknowledged yet. */
  #transaction: Transaction | undefined;
  /** What is left of a transaction that the server could not read. */
  #pieces: Transaction[] = [];
  #work: Promise<void> | undefined;
  #retry: TimerHandle | undefined;
  /** The most servers that are told the same as this one, of what was told last. */
  #crowd = 0;
  /** Before then, what is only of the moment is not sent by itself. */
  #ephemeralNotBeforeMs = 0;
  #contact = noContact;
  #isUrgent = false;
  #isClosing = false;

  constructor(parts: DestinationParts, serverNid: number, name: ServerName) {
    this.#parts = parts;
    this.serverNid = serverNid;
    this.name = name;
    this.#backlog = new Backlog({ ...parts, committedPos: () => parts.rooms.db.committedPos() }, { serverNid, name });
  }

  get contact(): Contact {
    return this.#contact;
  }
  get isFailing(): boolean {
    return this.#contact.failures > 0;
  }
  get isSending(): boolean {
    return this.#work !== undefined;
  }
  /** Events that wait in memory; and whether there are more in the database. */
  get backlog(): Pick<Backlog, 'count' | 'isBehind'> {
    return this.#backlog;
  }

  /** It was sent every event up to there; undefined: all that there are. */
  get sentPos(): number | undefined {
    let pos = this.#backlog.takenPos;
    for (const pdu of this.#taken.flatMap(({ pdus }) => pdus))
      if (pos === undefined || pdu.pos <= pos) pos = pdu.pos - 1;
    return pos;
  }

  /** Not acknowledged yet. */
  get #taken(): readonly Transaction[] {
    return this.#transaction === undefined ? this.#pieces : [this.#transaction, ...this.#pieces];
  }

  push(pdu: OutgoingPdu, isTargeted: boolean): void {
    if (this.#contact.failures < limits.federationFailuresKept) this.#backlog.push(pdu, isTargeted);
    else this.#backlog.miss(pdu.pos);
    this.#parts.onProgress();
    this.#run();
  }

  /** It may have missed events after the position, in these rooms or in any. */
  fallBehind(from: number, rooms?: readonly number[]): void {
    this.#backlog.fallBehind(from, rooms);
    this.#parts.onProgress();
    this.#run();
  }

  /** EDUs wait for it in the database. */
  edusWait(): void {
    this.#hasEdus = true;
    this.#run();
  }

  /** `crowd`: how many servers are told the same. A server that cannot be reached misses what is only of the moment. */
  tell(crowd: number, add: (queue: EphemeralQueue) => void): void {
    if (this.isFailing) return;
    add(this.#ephemeral);
    this.#crowd = Math.max(this.#crowd, crowd);
    this.#run();
  }

  /** It can be reached, or a person wants to know whether it can: it is tried now. */
  tryNow(isUrgent: boolean): void {
    if (!this.isFailing && !isUrgent) return;
    this.#isUrgent ||= isUrgent;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#run();
  }

  /** What is on its way has a moment to arrive. */
  async close(): Promise<void> {
    this.#retry?.cancel();
    const grace = this.#parts.timers.after(limits.federationCloseMs, () => this.#ended.abort());
    this.#isClosing = true;
    await this.#work;
    grace.cancel();
  }

  #run(): void {
    if (this.#work !== undefined || this.#isClosing) return;
    if (this.#retry !== undefined && this.isFailing) return;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#work = this.#loop()
      .catch((error: unknown) => {
        this.#parts.onFailed(error);
        this.#hasEdus = true;
        this.#retryAfter(limits.federationRetryMs);
      })
      .finally(() => {
        this.#work = undefined;
        this.#parts.onProgress();
        if (this.#retry === undefined && !this.#isIdle) this.#run();
      });
  }

  get #isIdle(): boolean {
    return this.#backlog.isEmpty && !this.#hasEdus && this.#ephemeral.isEmpty && this.#taken.length === 0;
  }

  async #loop(): Promise<void> {
    const { lanes } = this.#parts;
    while (!this.#isClosing) {
      this.#transaction ??= this.#pieces.shift() ?? (await this.#nextTransaction());
      const transaction = this.#transaction;
      if (transaction === undefined) return;
      const lane = this.isFailing ? lanes.failing : lanes.healthy;
      const outcome = await lane.run(() => this.#attempt(transaction));
      if (outcome === 'taken apart') continue;
      if (outcome === undefined) return;
      this.#transaction = undefined;
      if (outcome instanceof FederationError) await this.#skip(transaction, outcome);
      else await this.#acknowledged(transaction, outcome);
      if (outcome instanceof FederationError) return this.#failed(outcome);
    }
  }

  async #nextTransaction(): Promise<Transaction | undefined> {
    const { sentPos } = this;
    try {
      return await this.#putTogether();
    } catch (error) {
      // What was taken until then is in the database.
      if (sentPos !== undefined) this.#backlog.fallBehind(sentPos);
      this.#hasEdus = true;
      throw error;
    }
  }

  async #putTogether(): Promise<Transaction | undefined> {
    const { rooms } = this.#parts;
    const pdus = await this.#backlog.take(limits.transactionPdusMax, limits.federationTransactionBytesMax);
    const durable = await this.#takeDurableEdus();
    const isAlone = pdus.length === 0 && durable.length === 0;
    const ephemeral =
      isAlone && this.#mustGather() ? [] : this.#ephemeral.take(limits.transactionEdusMax - durable.length);
    const edus = [...durable, ...ephemeral.map((json) => ({ json, pos: undefined }))];
    if (pdus.length === 0 && edus.length === 0) return undefined;
    if (ephemeral.length > 0) {
      const pauseMs = Math.max(limits.federationEphemeralMs, this.#crowd * limits.federationEphemeralMsPerServer);
      this.#ephemeralNotBeforeMs = rooms.clock.monotonicMs() + pauseMs;
      this.#crowd = 0;
    }
    return this.#transactionOf({ pdus, edus });
  }

  #transactionOf(content: TransactionContent): Transaction {
    const { rooms, origin } = this.#parts;
    const nowMs = rooms.clock.nowMs();
    const txnId = `${nowMs}${rooms.random.bytes(12).toString('base64url')}`;
    return { ...content, txnId, body: transactionBody(origin, nowMs, content) };
  }

  async #takeDurableEdus(): Promise<readonly { readonly pos: number; readonly json: string }[]> {
    if (!this.#hasEdus) return [];
    this.#hasEdus = false;
    const limit = limits.federationDurableEdusMax;
    const rows = await this.#parts.rooms.db.all(edusFor, { server: this.serverNid, limit });
    const taken: { pos: number; json: string }[] = [];
    let chars = 0;
    for (const row of rows) {
      const json = await eduText(row, this.#parts.deviceKeys);
      if (taken.length > 0 && chars + json.length > limits.federationTransactionBytesMax) break;
      taken.push({ pos: row.pos, json });
      chars += json.length;
    }
    if (taken.length < rows.length || rows.length === limit) this.#hasEdus = true;
    return taken;
  }

  /** Whether what is only of the moment waits for more. */
  #mustGather(): boolean {
    const waitMs = this.#ephemeralNotBeforeMs - this.#parts.rooms.clock.monotonicMs();
    if (this.#ephemeral.isEmpty || waitMs <= 0) return false;
    this.#retryAfter(waitMs);
    return true;
  }

  /**
   * undefined: it did not get through, and is tried again later. An error: the server does not take the one thing in it, whenever it is
   * tried.
   */
  async #attempt(transaction: Transaction): Promise<JsonObject | FederationError | 'taken apart' | undefined> {
    const { txnId, body, pdus, edus } = transaction;
    const { client, counters } = this.#parts;
    if (this.#isClosing) return undefined;
    const isUrgent = this.#isUrgent;
    this.#isUrgent = false;
    try {
      const answer = await client.request({
        destination: this.name,
        method: 'PUT',
        path: federationPath`/_matrix/federation/v1/send/${txnId}`,
        canonicalContent: body,
        signal: this.#ended.signal,
        isUrgent,
      });
      counters.transactions.add({ outcome: 'taken' });
      counters.edus.add({}, edus.length);
      this.#succeeded(pdus);
      return answer;
    } catch (error) {
      if (this.#ended.signal.aborted) return undefined;
      if (!(error instanceof FederationError)) throw error;
      counters.transactions.add({ outcome: error.failure });
      if (isUnreadable(error)) {
        if (this.#takeApart(transaction, error)) return 'taken apart';
        if (this.#contact.failures + 1 >= limits.federationUnreadableTriesMax) return error;
      }
      this.#failed(error);
      return undefined;
    }
  }

  /** One thing in it that the server cannot read must not keep the rest from it. false: there is one thing in it. */
  #takeApart(transaction: Transaction, error: FederationError): boolean {
    const halves = halvesOf(transaction);
    if (halves === undefined) return false;
    this.#parts.log.info({ destination: this.name, err: error }, 'another server cannot read a transaction');
    const [first, second] = halves.map((half) => this.#transactionOf(half));
    this.#transaction = first;
    if (second !== undefined) this.#pieces.unshift(second);
    return true;
  }

  /** The server never gets it by itself; it may ask for the event. */
  async #skip(transaction: Transaction, error: FederationError): Promise<void> {
    const { log, counters, rooms } = this.#parts;
    const events = await rooms.db.all(eventsByNids, { nids: transaction.pdus.map(({ nid }) => nid) });
    const eventId = events[0]?.event_id;
    log.error({ destination: this.name, eventId, err: error }, 'another server cannot read something: it is not sent');
    counters.pdus.add({ outcome: 'skipped' }, transaction.pdus.length);
    await this.#done(transaction);
  }

  #succeeded(pdus: readonly OutgoingPdu[]): void {
    const { log, rooms } = this.#parts;
    if (this.isFailing) log.info({ destination: this.name }, 'another server can be reached again');
    let lastSentPos = this.#contact.lastSentPos;
    for (const { pos } of pdus) if (lastSentPos === undefined || pos > lastSentPos) lastSentPos = pos;
    this.#contact = { ...noContact, lastSuccessTs: rooms.clock.nowMs(), lastSentPos };
  }

  #failed(error: FederationError): void {
    const { log, rooms, health } = this.#parts;
    const failures = this.#contact.failures + 1;
    const nowTs = rooms.clock.nowMs();
    // What the server asks for is answered with an error, but it is there: only sending waits.
    const delayMs = health.retryInMs(this.name) || retryDelayMs(failures, rooms.random);
    if (failures === 1) log.info({ destination: this.name, err: error }, 'another server cannot be reached');
    this.#contact = {
      ...this.#contact,
      failures,
      firstFailureTs: this.#contact.firstFailureTs ?? nowTs,
      lastFailureTs: nowTs,
      lastError: error.message,
      retryTs: nowTs + delayMs,
    };
    this.#ephemeral.clear();
    if (failures >= limits.federationFailuresKept) this.#giveUpMemory();
    this.#retryAfter(delayMs);
  }

  /** It will take a while. What was tried is put together anew then, under another id: whoever got it already knows its events. */
  #giveUpMemory(): void {
    const { sentPos } = this;
    const taken = this.#taken;
    if (taken.some((transaction) => eduPositionsIn(transaction).length > 0)) this.#hasEdus = true;
    this.#transaction = undefined;
    this.#pieces = [];
    const hasEvents = taken.some(({ pdus }) => pdus.length > 0) || this.#backlog.count > 0;
    if (sentPos !== undefined && hasEvents) this.#backlog.fallBehind(sentPos);
  }

  #retryAfter(delayMs: number): void {
    if (this.#isClosing) return;
    this.#retry?.cancel();
    this.#retry = this.#parts.timers.after(delayMs, () => {
      this.#retry = undefined;
      this.#run();
    });
  }

  async #acknowledged(transaction: Transaction, answer: JsonObject): Promise<void> {
    this.#countRefusals(transaction.pdus.length, answer);
    await this.#done(transaction);
  }

  async #done(transaction: Transaction): Promise<void> {
    this.#parts.onProgress();
    const eduPositions = eduPositionsIn(transaction);
    const targeted = this.#backlog.targetedAmong(transaction.pdus);
    if (targeted.length === 0 && eduPositions.length === 0) return;
    const server = this.serverNid;
    const { committed } = this.#parts.rooms.db.write((unit) => {
      if (targeted.length > 0) unit.run(deleteTargetedEvents, { server, positions: targeted });
      if (eduPositions.length === 0) return;
      unit.run(deleteEdusFor, { server, positions: eduPositions });
      unit.run(deleteSentEdus, { positions: eduPositions });
    });
    // Those that are still there would be sent again.
    await committed;
  }

  #countRefusals(sent: number, { pdus }: JsonObject): void {
    const { counters, log } = this.#parts;
    const refused: [string, unknown][] = [];
    if (typeof pdus === 'object' && pdus !== null && !Array.isArray(pdus))
      for (const [eventId, result] of Object.entries(pdus))
        if (typeof result === 'object' && result !== null && 'error' in result) refused.push([eventId, result.error]);
    const count = Math.min(refused.length, sent);
    if (sent > count) counters.pdus.add({ outcome: 'taken' }, sent - count);
    if (count === 0) return;
    counters.pdus.add({ outcome: 'refused' }, count);
    const [eventId, error] = refused[0] ?? [];
    log.warn({ destination: this.name, eventId, error, count }, 'another server refuses events');
  }
}

/** It was reached, and says that the request itself is at fault, or too large. */
function isUnreadable({ failure, status }: FederationError): boolean {
  return failure === 'answered' && (status === 400 || status === 413);
}
