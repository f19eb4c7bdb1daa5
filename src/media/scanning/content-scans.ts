import { MatrixError } from '../../matrix/errors.ts';
import type { Config } from '../../platform/config/config.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock, Timers } from '../../platform/ports.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import type { Database } from '../../storage/database.ts';
import { putVerdict, trimVerdicts, verdictOn, type VerdictRow } from '../../storage/stores/scan-store.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { hideContent } from '../quarantine.ts';
import { type Scanner, ScannerFailed } from './scanner.ts';
import { ScannerState } from './scanner-state.ts';

/** Something of a stored content that can be scanned. */
export interface Scannable {
  /** Under what the verdict is kept: the content's hash, or for an encrypted file what stands for it and its key. */
  readonly subject: Buffer;
  /** SHA-256 of the content. */
  readonly content: Buffer;
  readonly sizeBytes: number;
  open(): Promise<AsyncIterable<Buffer>>;
}

/** Malware, said once. */
export interface Finding {
  readonly content: Buffer;
  /** The scanner's name of it. */
  readonly finding: string;
  readonly scanner: string;
}

export interface ContentScansOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly scanner: Scanner;
  readonly settings: Config['media']['scanner'];
  readonly metrics: MediaMetrics;
  readonly onFound: (finding: Finding) => void;
  /** Told when the scanner begins to fail, and not again before it has answered; and of files that it gives no verdict on. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Verdicts on contents: given by the scanner when they are first needed, and kept. What is infected is in quarantine from then on.
 * docs/decisions/0028-scanning.md
 */
export class ContentScans {
  readonly #options: ContentScansOptions;
  readonly #state: ScannerState;
  readonly #turns = new Semaphore(limits.scansAtOnceMax, limits.scansWaitingMax);
  readonly #ahead = new Semaphore(limits.scansAheadMax, limits.scansAheadWaitingMax);
  /** By subject: what may be served, and what said so. */
  readonly #clean = new Lru<string, CleanVerdict>({ sizeMax: limits.cleanContentsMax });
  readonly #running = new Map<string, Promise<string | undefined>>();
  /** By subject, until when: what the scanner gave no verdict on while it gave others. */
  readonly #failures = new Lru<string, number>({ sizeMax: limits.scanFailuresMax });
  #isClosed = false;

  constructor(options: ContentScansOptions) {
    this.#options = options;
    this.#state = new ScannerState(options);
  }

  /**
   * What was found in it; undefined: it may be served. Whoever asks meanwhile waits for the same. Throws 503 M_UNKNOWN when the scanner does
   * not answer, 502 M_TOO_LARGE for what it does not take, where the configuration refuses these.
   */
  async findMalware(scannable: Scannable): Promise<string | undefined> {
    const key = scannable.subject.toString('latin1');
    const clean = this.#clean.find(key);
    if (clean !== undefined && !(await this.#isOld(clean))) return undefined;
    const current = this.#running.get(key);
    if (current !== undefined) return current;
    const running = this.#find(scannable, key).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  /** As `findMalware`, for what nobody waits for. true: it may be served, as far as that was found out. */
  async scanAhead(scannable: Scannable): Promise<boolean> {
    try {
      return await this.#ahead.run(async () => !this.#isClosed && (await this.findMalware(scannable)) === undefined);
    } catch (error) {
      // It is scanned when somebody wants to read it.
      if (error instanceof MatrixError || error instanceof SemaphoreFull) return false;
      throw error;
    }
  }

  /** Ends what is being scanned. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#state.close();
    await Promise.allSettled(this.#running.values());
  }

  async #find(scannable: Scannable, key: string): Promise<string | undefined> {
    const row = await this.#options.db.one(verdictOn, { subject: scannable.subject });
    if (row !== undefined && row.finding !== null && row.accepted_by === null) return row.finding;
    if (row !== undefined && !(await this.#isOld(cleanVerdict(row)))) {
      this.#clean.set(key, cleanVerdict(row));
      return undefined;
    }
    const { settings } = this.#options;
    if (scannable.sizeBytes > settings.streamBytesMax) {
      if (settings.largerFiles === 'serve') return undefined;
      throw new MatrixError(502, 'M_TOO_LARGE', 'The content is too large to be scanned for malware');
    }
    try {
      if ((this.#failures.find(key) ?? 0) > this.#options.clock.monotonicMs())
        throw new ScannerFailed('there was no verdict a short while ago');
      return await this.#scan(scannable, key);
    } catch (error) {
      if (!(error instanceof ScannerFailed)) throw error;
      // An older verdict is better than none.
      if (settings.unanswered === 'serve' || row !== undefined) return undefined;
      throw notScanned();
    }
  }

  async #scan(scannable: Scannable, key: string): Promise<string | undefined> {
    const { clock, metrics, scanner } = this.#options;
    try {
      return await this.#turns.run(async () => {
        const startedMs = clock.monotonicMs();
        const version = await this.#state.version();
        const finding = await this.#state.run((signal) => scanner.scan(opened(scannable), signal));
        metrics.scanSeconds.observe({}, (clock.monotonicMs() - startedMs) / 1000);
        metrics.scans.add({ result: finding === undefined ? 'clean' : 'infected' });
        await this.#keep(scannable, key, finding, version);
        return finding;
      });
    } catch (error) {
      if (error instanceof SemaphoreFull) throw notScanned();
      if (error instanceof ScannerFailed) metrics.scans.add({ result: 'failed' });
      if (error instanceof ScannerFailed && error.isAboutFile)
        this.#failures.set(key, clock.monotonicMs() + limits.scanFailureMs);
      throw error;
    }
  }

  async #keep(
    { subject, content }: Scannable,
    key: string,
    scannerFinding: string | undefined,
    version: string,
  ): Promise<void> {
    const { db, clock, scanner, onFound } = this.#options;
    const ts = clock.nowMs();
    this.#clean.delete(key);
    const finding = scannerFinding?.slice(0, limits.scanFindingCharactersMax);
    const by = `${scanner.name}: ${finding}`;
    await db.write((unit) => {
      unit.run(putVerdict, { subject, content, finding: finding ?? null, scanner: scanner.name, version, ts });
      if (!subject.equals(content)) unit.run(trimVerdicts, { content, kept: limits.scanVerdictsPerContentMax });
      if (finding !== undefined) hideContent(unit, { sha256: content, by, ts });
    }).committed;
    if (finding === undefined) this.#clean.set(key, { version, scannedTs: ts, isAccepted: false });
    else onFound({ content, finding, scanner: scanner.name });
  }

  /** Whether the scanner knows more by now, and long enough ago that it is worth asking. */
  async #isOld({ version, scannedTs, isAccepted }: CleanVerdict): Promise<boolean> {
    const { clock, settings } = this.#options;
    if (isAccepted || settings.rescanDays === undefined) return false;
    if (clock.nowMs() - scannedTs < settings.rescanDays * dayMs) return false;
    const current = await this.#state.version().catch(() => undefined);
    // Without signatures of ClamAV's own, its version says nothing of them.
    return current !== undefined && (current !== version || !current.includes('/'));
  }
}

/** Nothing is open before it is read, which it is not where the scanner cannot be reached. */
async function* opened(scannable: Scannable): AsyncIterable<Buffer> {
  yield* await scannable.open();
}

interface CleanVerdict {
  readonly version: string;
  readonly scannedTs: number;
  readonly isAccepted: boolean;
}

const cleanVerdict = ({ version, scanned_ts: scannedTs, accepted_by: by }: VerdictRow): CleanVerdict => ({
  version,
  scannedTs,
  isAccepted: by !== null,
});

const notScanned = (): MatrixError =>
  new MatrixError(503, 'M_UNKNOWN', 'The content could not be scanned for malware; try again later', {
    retry_after_ms: limits.scannerPauseMs,
  });
const dayMs = 86_400_000;
