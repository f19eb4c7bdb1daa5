import type { PkMessage } from '../../matrix/crypto/pk-decryption.ts';
import { badJson, MatrixError } from '../../matrix/errors.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { isJsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import { SemaphoreFull } from '../../platform/semaphore.ts';
import { TurnsOfCallers } from '../../platform/turns-of-callers.ts';
import { findingsIn } from '../../storage/stores/scan-store.ts';
import { mediaAt } from '../../storage/stores/media-store.ts';
import type { MediaContext } from '../context.ts';
import {
  findUploaded,
  type OpenedContent,
  type OpenOptions,
  openUploaded,
  type UploadedRow,
  wholeContent,
} from '../open-content.ts';
import type { ContentScans } from './content-scans.ts';
import { decrypted, type EncryptedFile, parseEncryptedFile, subjectOf } from './encrypted-file.ts';
import { ScannerKey } from './scanner-key.ts';

/** What is said of a file. */
export interface ScanReport {
  readonly clean: boolean;
  readonly info: string;
}

export interface ScanOptions extends OpenOptions {
  /** Who asks: a user, or an address. */
  readonly caller: string;
}

/** What a client says of an encrypted file: the file, or that in a message which only this server can read. */
export interface EncryptedFileRequest {
  readonly file: JsonValue | undefined;
  readonly encryptedBody: PkMessage | undefined;
}

/**
 * Answers clients that ask whether a file is clean. Of an encrypted one they hand over the key with the question; it is forgotten with the answer.
 * Errors have the field `reason` where the API has a name for it.
 * https://github.com/element-hq/matrix-content-scanner-python/blob/main/docs/api.md
 */
export class ContentScanner {
  /** Whether clients may ask without an access token. */
  readonly allowUnauthenticated: boolean;
  readonly #ctx: MediaContext;
  readonly #scans: ContentScans;
  readonly #key: ScannerKey;
  readonly #turns = new TurnsOfCallers(limits.scansPerCallerMax, limits.scansPerCallerWaitingMax);

  constructor(ctx: MediaContext, scans: ContentScans, options: { readonly allowUnauthenticated: boolean }) {
    this.allowUnauthenticated = options.allowUnauthenticated;
    this.#ctx = ctx;
    this.#scans = scans;
    this.#key = new ScannerKey(ctx.db, ctx.random);
  }

  /** Unpadded Base64. */
  async publicKey(): Promise<string> {
    return (await this.#key.get()).publicKey;
  }

  /** Throws 403 MCS_BAD_DECRYPTION for a message that is for another key, 400 M_BAD_JSON for what says nothing of a file. */
  async readRequest({ file, encryptedBody }: EncryptedFileRequest): Promise<EncryptedFile> {
    if (encryptedBody === undefined) {
      const parsed = parseEncryptedFile(file);
      if (parsed === undefined) throw badJson('file is no EncryptedFile');
      return parsed;
    }
    const text = (await this.#key.get()).decrypt(encryptedBody);
    const parsed = text === undefined ? undefined : parseEncryptedFile(fileIn(text));
    // Nobody learns whether it could not be decrypted or what was wrong with it then.
    if (parsed === undefined) throw refused(403, 'MCS_BAD_DECRYPTION', 'encrypted_body cannot be decrypted');
    return parsed;
  }

  /** Throws as `openContent` does, but for malware. */
  scan(uri: MxcUri, options: OpenOptions): Promise<ScanReport> {
    return reported(() => this.#cleanRow(uri, options));
  }

  /** Throws as `scan`, and 400 MCS_MEDIA_FAILED_TO_DECRYPT for a file whose bytes are others, 429 M_LIMIT_EXCEEDED. */
  scanEncrypted(file: EncryptedFile, options: ScanOptions): Promise<ScanReport> {
    return reported(() => this.#cleanEncryptedRow(file, options));
  }

  /** The file as it is stored, encrypted. Throws as `scanEncrypted`, and 403 MCS_MEDIA_NOT_CLEAN for malware. */
  async openEncrypted(file: EncryptedFile, options: ScanOptions): Promise<OpenedContent> {
    const row = await this.#cleanEncryptedRow(file, options);
    return openUploaded(this.#ctx, file.uri, row, options.fileName);
  }

  /** What `open` gives. Throws what it throws, and 403 MCS_MEDIA_NOT_CLEAN for malware. */
  async explain<T>(uri: MxcUri, open: () => Promise<T>): Promise<T> {
    try {
      return await open();
    } catch (error) {
      const isHidden = error instanceof MatrixError && error.status === 404;
      const finding = isHidden ? await this.#knownFinding(uri) : undefined;
      throw finding === undefined ? error : notClean(finding);
    }
  }

  async #cleanRow(uri: MxcUri, options: OpenOptions): Promise<UploadedRow> {
    const row = await this.explain(uri, () => findUploaded(this.#ctx, uri, options));
    const content = wholeContent(this.#ctx, { sha256: row.sha256, sizeBytes: row.bytes });
    const finding = await this.#scans.findMalware(content);
    if (finding !== undefined) throw notClean(finding);
    return row;
  }

  async #cleanEncryptedRow(file: EncryptedFile, options: ScanOptions): Promise<UploadedRow> {
    const row = await this.explain(file.uri, () => findUploaded(this.#ctx, file.uri, options));
    if (!row.sha256.equals(file.sha256))
      throw refused(400, 'MCS_MEDIA_FAILED_TO_DECRYPT', 'The content has another hash than the file');
    const content = wholeContent(this.#ctx, { sha256: row.sha256, sizeBytes: row.bytes });
    const plain = { ...content, subject: subjectOf(file), open: async () => decrypted(await content.open(), file) };
    const finding = await this.#inTurn(options.caller, () => this.#scans.findMalware(plain));
    if (finding !== undefined) throw notClean(finding);
    return row;
  }

  async #inTurn<T>(caller: string, scan: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.run(caller, scan);
    } catch (error) {
      if (!(error instanceof SemaphoreFull)) throw error;
      throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many files are being scanned for you', {
        retry_after_ms: limits.scannerPauseMs,
      });
    }
  }

  async #knownFinding({ serverName, mediaId }: MxcUri): Promise<string | undefined> {
    const row = await this.#ctx.db.one(mediaAt, { origin: serverName, mediaId });
    if (row === undefined || row.sha256 === null) return undefined;
    const [found] = await this.#ctx.db.all(findingsIn, { content: row.sha256 });
    return found?.finding;
  }
}

async function reported(find: () => Promise<unknown>): Promise<ScanReport> {
  try {
    await find();
    return { clean: true, info: 'Nothing was found' };
  } catch (error) {
    if (!(error instanceof NotClean)) throw error;
    return { clean: false, info: error.message };
  }
}

function fileIn(text: Buffer): JsonValue | undefined {
  try {
    const body = parseJson(text);
    return isJsonObject(body) ? body['file'] : undefined;
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

class NotClean extends MatrixError {}

const notClean = (finding: string): NotClean =>
  new NotClean(403, 'M_FORBIDDEN', `The scanner found ${finding}`, { reason: 'MCS_MEDIA_NOT_CLEAN' });
const refused = (status: number, reason: string, message: string): MatrixError =>
  new MatrixError(status, status === 403 ? 'M_FORBIDDEN' : 'M_UNKNOWN', message, { reason });
