import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isJsonObject } from '../../../matrix/json/json-value.ts';
import { parseJson } from '../../../matrix/json/parse-json.ts';
import { limits } from '../../../platform/limits.ts';
import type { Counter, Metrics } from '../../../platform/metrics.ts';
import { OperatorError } from '../../../platform/operator-error.ts';
import { OutgoingHttpError } from '../../../platform/outgoing-http-error.ts';
import type { Clock, OutgoingHttp, Random, TimerHandle, Timers } from '../../../platform/ports.ts';
import type { Database } from '../../../storage/database.ts';
import { findServerFact, setServerFact } from '../../../storage/server-facts.ts';
import type { FederationPolicy } from '../federation-policy.ts';
import { certificatesOf, type Trust } from './certificate-chain.ts';
import { ListRefused } from './list-refused.ts';
import { readSignedList, type SignedList } from './read-signed-list.ts';

export interface SignedListSettings {
  /** undefined: no list is followed. */
  readonly url: string | undefined;
  /** PEM files. */
  readonly authorities: readonly string[];
  readonly signers: readonly string[];
  readonly refreshMinutes: number;
  readonly whenExpired: 'keep' | 'refuse';
  /** Patterns of servers that count as if they were on it. */
  readonly beside: readonly string[];
}
export interface SignedListParts {
  readonly db: Database;
  readonly http: OutgoingHttp;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly random: Pick<Random, 'int'>;
  readonly metrics: Metrics;
  readonly policy: Pick<FederationPolicy, 'follow'>;
  readonly userAgent: string;
  readonly onNotice: (message: string, details: object) => void;
  readonly onFailed: (error: unknown) => void;
}

type Outcome = 'new' | 'same' | 'unreachable' | 'refused';

/** Settings with what their files hold. */
interface Followed extends SignedListSettings {
  readonly url: string;
  readonly trust: Trust;
}
interface KnownList extends SignedList {
  /** As it was fetched. */
  readonly text: string;
}

/**
 * Fetches a signed list of the servers of a federation on a schedule, and early where a server is met that is not on it. The last
 * good one counts, over restarts too, until a newer one is there.
 */
export class SignedListFollower {
  readonly #parts: SignedListParts;
  readonly #fetches: Counter<'outcome'>;
  #followed: Followed | undefined;
  #known: KnownList | undefined;
  #fetching: Promise<void> | undefined;
  #nextFetch: TimerHandle | undefined;
  #expiry: TimerHandle | undefined;
  #failures = 0;
  #fetchedTs = 0;
  #isClosed = false;

  constructor(parts: SignedListParts) {
    this.#parts = parts;
    const { metrics } = parts;
    const help = 'How often the signed federation list was fetched, by what came of it.';
    this.#fetches = metrics.counter('veche_federation_list_fetches_total', help, ['outcome']);
    const measure = (read: (list: SignedList) => number) => () => (this.#known === undefined ? 0 : read(this.#known));
    metrics.measured(
      'veche_federation_list_servers',
      'Entries of the signed federation list; 0: there is none.',
      measure(({ servers }) => servers.length),
    );
    metrics.measured(
      'veche_federation_list_expires_timestamp_seconds',
      'When the signed federation list expires; 0: there is none.',
      measure(({ expiresTs }) => expiresTs / 1_000),
    );
  }

  /** The list that counts. */
  get known(): SignedList | undefined {
    return this.#known;
  }

  /** Reads the files. Throws OperatorError. What is returned makes the settings count; the list is fetched then. */
  prepare(settings: SignedListSettings): () => void {
    const followed = withTrust(settings);
    return () => {
      if (followed?.url !== this.#followed?.url) this.#known = undefined;
      this.#followed = followed;
      this.#failures = 0;
      this.#apply();
      this.#load().then(() => this.fetch(), this.#parts.onFailed);
    };
  }

  /** The last good list counts when it resolves. Throws OperatorError. */
  async start(settings: SignedListSettings): Promise<void> {
    this.#followed = withTrust(settings);
    this.#apply();
    await this.#load();
    void this.fetch();
  }

  /** A server was refused because it is not on the list: perhaps it is new. */
  missed(): void {
    if (this.#parts.clock.nowMs() - this.#fetchedTs >= limits.signedListEarlyMs) void this.fetch();
  }

  /** Never rejects. */
  fetch(): Promise<void> {
    this.#fetching ??= this.#fetchFollowed()
      .catch(this.#parts.onFailed)
      .finally(() => {
        this.#fetching = undefined;
        this.#schedule();
      });
    return this.#fetching;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#nextFetch?.cancel();
    this.#expiry?.cancel();
    await this.#fetching;
  }

  /** Again where the configuration was read again meanwhile. */
  async #fetchFollowed(): Promise<void> {
    let followed: Followed | undefined;
    do {
      followed = this.#followed;
      if (followed !== undefined) await this.#fetch(followed);
    } while (followed !== this.#followed && !this.#isClosed);
  }

  async #fetch(followed: Followed): Promise<void> {
    if (this.#isClosed) return;
    this.#fetchedTs = this.#parts.clock.nowMs();
    try {
      const text = await this.#ask(followed.url);
      const list = { ...(await readSignedList(text, followed.trust, this.#fetchedTs)), text };
      if (this.#followed !== followed) return;
      const isNew = this.#isNewer(list);
      this.#failures = 0;
      this.#fetches.add({ outcome: isNew ? 'new' : 'same' });
      if (isNew) await this.#take(list, followed);
    } catch (error) {
      const isRefused = error instanceof ListRefused;
      if (!isRefused && !(error instanceof OutgoingHttpError)) throw error;
      if (this.#followed !== followed) return;
      this.#failures += 1;
      const outcome: Outcome = isRefused ? 'refused' : 'unreachable';
      this.#fetches.add({ outcome });
      this.#parts.onNotice(`the federation list was not taken: ${error.message}`, { outcome, url: followed.url });
    }
  }

  async #ask(url: string): Promise<string> {
    const { status, body } = await this.#parts.http.request({
      method: 'GET',
      url,
      headers: { Accept: 'application/jose, application/jose+json', 'User-Agent': this.#parts.userAgent },
      timeoutMs: limits.signedListTimeoutMs,
      responseBytesMax: limits.signedListBytesMax,
      purpose: 'federation',
    });
    if (status !== 200) throw new OutgoingHttpError('connection', `the answer had the status ${status}`);
    return body.toString('utf8');
  }

  /** False: it is the one that is known. Throws ListRefused for one that is older, and for one that has expired. */
  #isNewer(list: KnownList): boolean {
    const known = this.#known;
    if (list.expiresTs <= this.#parts.clock.nowMs()) throw new ListRefused('it has expired');
    if (known === undefined) return true;
    if (list.version === known.version && isSame(list, known)) return false;
    if (list.version <= known.version || list.issuedTs < known.issuedTs)
      throw new ListRefused(`version ${list.version} is not newer than version ${known.version}, which is known`);
    return true;
  }

  async #take(list: KnownList, { url }: Followed): Promise<void> {
    const fetchedTs = this.#parts.clock.nowMs();
    this.#known = list;
    this.#apply();
    await setServerFact(this.#parts.db, factName, JSON.stringify({ url, fetched_ts: fetchedTs, text: list.text }));
  }

  /** What was good when it was fetched still is, although its certificate may have expired since. */
  async #load(): Promise<void> {
    const followed = this.#followed;
    const stored = followed && (await findServerFact(this.#parts.db, factName));
    if (followed === undefined || stored === undefined) return;
    const fact = parseJson(stored);
    const { url, text, fetched_ts: fetchedTs } = isJsonObject(fact) ? fact : {};
    if (url !== followed.url || typeof text !== 'string' || typeof fetchedTs !== 'number') return;
    try {
      const list = await readSignedList(text, followed.trust, fetchedTs);
      if (this.#followed === followed) this.#known = { ...list, text };
    } catch (error) {
      if (!(error instanceof ListRefused)) throw error;
      if (this.#followed === followed) this.#known = undefined;
      this.#parts.onNotice(`the federation list that was kept does not count: ${error.message}`, { url: followed.url });
    }
    this.#apply();
  }

  /** Tells the policy what counts now. */
  #apply(): void {
    this.#expiry?.cancel();
    this.#expiry = undefined;
    const [followed, list] = [this.#followed, this.#known];
    if (followed === undefined) return this.#parts.policy.follow(undefined);
    const leftMs = list === undefined ? Infinity : list.expiresTs - this.#parts.clock.nowMs();
    const counts = list !== undefined && (leftMs > 0 || followed.whenExpired === 'keep');
    this.#parts.policy.follow({ servers: counts ? list.servers : undefined, beside: followed.beside });
    if (list === undefined || this.#isClosed) return;
    if (leftMs <= 0) this.#noticeExpiry(list, followed);
    else this.#expiry = this.#parts.timers.after(Math.min(leftMs, timerMsMax), () => this.#apply());
  }

  #noticeExpiry({ version, expiresTs }: SignedList, { whenExpired }: Followed): void {
    const what = whenExpired === 'keep' ? 'it goes on counting' : 'nobody is talked to until there is a new one';
    this.#parts.onNotice(`the federation list has expired; ${what}`, { version, expiresTs });
  }

  #schedule(): void {
    this.#nextFetch?.cancel();
    this.#nextFetch = undefined;
    const followed = this.#followed;
    if (followed === undefined || this.#isClosed) return;
    const refreshMs = followed.refreshMinutes * 60_000;
    const retryMs = limits.signedListRetryMs * 2 ** Math.min(this.#failures - 1, 20);
    const waitMs = this.#failures === 0 ? refreshMs : Math.min(refreshMs, retryMs);
    const jitteredMs = waitMs - this.#parts.random.int(Math.max(1, Math.floor(waitMs / 10)));
    this.#nextFetch = this.#parts.timers.after(jitteredMs, () => void this.fetch());
  }
}

const factName = 'federation_list';
/** Timers of Node are good for 24 days. */
const timerMsMax = 86_400_000;

const isSame = (one: SignedList, other: SignedList): boolean =>
  one.issuedTs === other.issuedTs &&
  one.expiresTs === other.expiresTs &&
  one.servers.length === other.servers.length &&
  one.servers.every((server, index) => server === other.servers[index]);

function withTrust(settings: SignedListSettings): Followed | undefined {
  const { url, signers } = settings;
  if (url === undefined) return undefined;
  const authorities = settings.authorities.flatMap(authoritiesOf);
  return { ...settings, url, trust: { authorities, signers } };
}

function authoritiesOf(file: string): readonly X509Certificate[] {
  let found: readonly X509Certificate[];
  try {
    found = certificatesOf(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`federation.signed_list.authorities: ${file} cannot be used: ${reason}`);
  }
  if (found.length > 0) return found;
  throw new OperatorError(`federation.signed_list.authorities: ${file} has no certificate`);
}
