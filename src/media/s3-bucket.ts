import { Readable } from 'node:stream';
import type * as S3 from '@aws-sdk/client-s3';
import { OperatorError } from '../platform/operator-error.ts';
import type { Timers } from '../platform/ports.ts';
import type { Secret } from '../platform/secret.ts';
import { BlobMissing, BlobStoreFull, BlobStoreUnavailable, type ByteRange } from './blob-store.ts';
import { stallGuarded } from '../platform/stall-guard.ts';

/** Section `media.s3` of the configuration, with what must be there. */
export interface S3Settings {
  /** undefined: Amazon's. It is the operator's own word, so that any address is fine. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** Of every key. */
  readonly prefix: string;
  readonly pathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** One upload of an object in parts. */
export interface MultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

/**
 * A bucket of an S3-compatible object store. Whatever it is asked rejects with BlobStoreUnavailable where that fails, after the
 * retries of the SDK, and with BlobStoreFull where the store says that there is no more room.
 */
export class S3Bucket {
  readonly #sdk: typeof S3;
  readonly #client: S3.S3Client;
  readonly #settings: S3Settings;
  readonly #timers: Timers;

  private constructor(sdk: typeof S3, settings: S3Settings, timers: Timers) {
    const { endpoint, region, pathStyle, accessKeyId, secretAccessKey } = settings;
    const agent = { keepAlive: true, maxSockets: connectionsMax };
    this.#sdk = sdk;
    this.#settings = settings;
    this.#timers = timers;
    this.#client = new sdk.S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      region,
      forcePathStyle: pathStyle,
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
      // Many stores know nothing of the newer checksums. The signature covers the SHA-256 of every body that is sent.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: attemptsMax,
      requestHandler: {
        connectionTimeout: connectMsMax,
        requestTimeout: answerMsMax,
        throwOnRequestTimeout: true,
        httpAgent: agent,
        httpsAgent: agent,
      },
    });
  }

  /** Loads the SDK, which costs some megabytes of memory. Throws OperatorError when the bucket cannot be used. */
  static async open(settings: S3Settings, timers: Timers): Promise<S3Bucket> {
    const bucket = new S3Bucket(await import('@aws-sdk/client-s3'), settings, timers);
    try {
      await bucket.#check();
    } catch (error) {
      bucket.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new OperatorError(`the bucket ${settings.bucket} of media.s3 cannot be used: ${reason}`);
    }
    return bucket;
  }

  async findSize(key: string): Promise<number | undefined> {
    const asked = this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(key)));
    const answer = await this.#ask('HeadObject', asked.catch(unlessMissing));
    if (answer !== undefined && answer.ContentLength === undefined)
      throw new BlobStoreUnavailable('the object store did not say how large an object is');
    return answer?.ContentLength;
  }

  /** Rejects with BlobMissing. */
  async open(key: string, range: ByteRange | undefined): Promise<Readable> {
    const wanted = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` };
    const asked = this.#client.send(new this.#sdk.GetObjectCommand({ ...this.#at(key), ...wanted }));
    const answer = await this.#ask('GetObject', asked.catch(unlessMissing));
    if (answer === undefined) throw new BlobMissing(`${key} is not in the object store`);
    const { Body: body, ContentLength: sizeBytes } = answer;
    if (!(body instanceof Readable))
      throw new BlobStoreUnavailable('the object store answered GetObject without a body');
    if (range !== undefined && sizeBytes !== range.end - range.start) {
      body.destroy();
      throw new BlobStoreUnavailable('the object store answered GetObject with another range');
    }
    return stallGuarded(body, { timers: this.#timers, stallMsMax, fail: (reason) => failed('GetObject', reason) });
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    const command = new this.#sdk.PutObjectCommand({ ...this.#at(key), Body: bytes, ContentLength: bytes.length });
    await this.#ask('PutObject', this.#client.send(command));
  }

  async remove(key: string): Promise<void> {
    await this.#ask('DeleteObject', this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(key))));
  }

  async beginMultipart(key: string): Promise<MultipartUpload> {
    const command = new this.#sdk.CreateMultipartUploadCommand(this.#at(key));
    const { UploadId: uploadId } = await this.#ask('CreateMultipartUpload', this.#client.send(command));
    if (uploadId === undefined) throw new BlobStoreUnavailable('the object store gave an upload no id');
    return { key, uploadId };
  }

  /** Parts count from 1. Resolves with the tag by which the part is named in the end. */
  async putPart({ key, uploadId }: MultipartUpload, number: number, bytes: Buffer): Promise<string> {
    const part = { UploadId: uploadId, PartNumber: number, Body: bytes, ContentLength: bytes.length };
    const command = new this.#sdk.UploadPartCommand({ ...this.#at(key), ...part });
    const { ETag: tag } = await this.#ask('UploadPart', this.#client.send(command));
    if (tag === undefined) throw new BlobStoreUnavailable('the object store gave a part no tag');
    return tag;
  }

  async completeMultipart({ key, uploadId }: MultipartUpload, tags: readonly string[]): Promise<void> {
    const parts = tags.map((tag, index) => ({ ETag: tag, PartNumber: index + 1 }));
    const upload = { UploadId: uploadId, MultipartUpload: { Parts: parts } };
    const command = new this.#sdk.CompleteMultipartUploadCommand({ ...this.#at(key), ...upload });
    await this.#ask('CompleteMultipartUpload', this.#client.send(command));
  }

  /** Resolves also when there is no such upload any more. */
  async abortMultipart({ key, uploadId }: MultipartUpload): Promise<void> {
    const command = new this.#sdk.AbortMultipartUploadCommand({ ...this.#at(key), UploadId: uploadId });
    await this.#ask('AbortMultipartUpload', this.#client.send(command).catch(unlessMissing));
  }

  /** Cuts what is under way. */
  close(): void {
    this.#client.destroy();
  }

  /** Asks for an object that is not there: the answer tells a missing bucket and missing permissions from a missing object. */
  async #check(): Promise<void> {
    try {
      (await this.open('veche-start', undefined)).destroy();
    } catch (error) {
      if (!(error instanceof BlobMissing)) throw error;
    }
  }

  #at(key: string) {
    return { Bucket: this.#settings.bucket, Key: `${this.#settings.prefix}${key}` };
  }

  async #ask<T>(operation: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw failed(operation, error);
    }
  }
}

/** What may be open at once: a download keeps one as long as its reader takes. */
const connectionsMax = 512;
const attemptsMax = 4;
const connectMsMax = 10_000;
/** From the question to the beginning of the answer, with a part to be sent before. */
const answerMsMax = 120_000;
/** In the middle of an answer that somebody waits for. */
const stallMsMax = 30_000;

/** Only what the store calls the error: its other properties repeat the request, with the id of the key and the signature. */
function failed(operation: string, error: unknown): Error {
  const { status, name, message } = factsOf(error);
  const reason = status === undefined ? `failed: ${message}` : `was answered with ${status} ${name}`;
  const text = `${operation} of the object store ${reason}`;
  return isFull(status, name) ? new BlobStoreFull(text) : new BlobStoreUnavailable(text);
}

const isFull = (status: number | undefined, name: string): boolean =>
  status === 507 || name === 'QuotaExceeded' || name === 'XMinioStorageFull';

/** undefined where the error says that there is no such object or upload; throws every other error. */
function unlessMissing(error: unknown): undefined {
  const { name, status } = factsOf(error);
  // The answer to HEAD has no body that could say more than NotFound. A bucket that is not there has another name.
  if (['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(name) && status === 404) return undefined;
  throw error;
}

function factsOf(error: unknown): { readonly status?: number; readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: 'unknown', message: String(error) };
  const { name } = error;
  const message = error.message === '' && 'code' in error ? String(error.code) : error.message;
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const isAnswer = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
  return isAnswer && typeof metadata.httpStatusCode === 'number'
    ? { status: metadata.httpStatusCode, name, message }
    : { name, message };
}
