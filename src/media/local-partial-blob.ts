import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { giveBack } from '../platform/transfer-memory.ts';
import type { BlobFacts, PartialBlob } from './blob-store.ts';
import type { ContentWriter } from './content-writer.ts';
import { writeAll, type WriteRequest as FullWriteRequest } from './content-writer-worker.ts';
import { absent, asFull, syncFolder } from './disk.ts';

/** What an unfinished content needs of the store that it belongs to. */
export interface LocalBlobPlace {
  readonly writer: ContentWriter;
  blobPath(sha256: Buffer): string;
  discard(id: string): Promise<void>;
}

type WriteRequest = Omit<FullWriteRequest, 'kind'>;

interface Begun {
  readonly id: string;
  readonly path: string;
  /** Open for reading too. */
  readonly file: FileHandle;
  readonly sizeBytes: number;
  readonly store: LocalBlobPlace;
}

/**
 * A file that grows. A small one is written and hashed here, at once; of a larger one some pieces are being written and
 * hashed by a thread while the next ones are gathered, so that this thread does nothing but receive.
 */
export class LocalPartialBlob implements PartialBlob {
  readonly id: string;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #store: LocalBlobPlace;
  /** While it is small: of what is written. */
  #hash: Hash | undefined;
  #takenBytes: number;
  /** What is written, and what is on its way. */
  #sentBytes: number;
  #writtenBytes: number;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  readonly #writing = new Set<Promise<void>>();
  #syncedBytes: number;
  #syncing: Promise<void> | undefined;
  #failure: unknown;
  #isOpen = true;
  #facts: BlobFacts | undefined;

  constructor({ id, path, file, sizeBytes, store }: Begun) {
    this.id = id;
    this.#path = path;
    this.#file = file;
    this.#store = store;
    this.#hash = sizeBytes === 0 ? createHash('sha256') : undefined;
    this.#takenBytes = this.#sentBytes = this.#writtenBytes = this.#syncedBytes = sizeBytes;
  }

  get sizeBytes(): number {
    return this.#takenBytes;
  }

  async append(chunk: Buffer): Promise<void> {
    this.#mustBeWritable();
    if (chunk.length === 0) return;
    this.#takenBytes += chunk.length;
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#takenBytes <= smallBytesMax && this.#hash !== undefined) return;
    this.#hash = undefined;
    this.#sendGathered();
    // More than what is on its way and as much again would only fill the memory.
    if (this.#gatheredBytes >= gatheredBytesMax) await Promise.race(this.#writing);
    this.#mustBeWritable();
  }

  async read(start: number, bytesMax: number): Promise<Buffer | undefined> {
    const length = Math.min(bytesMax, this.#writtenBytes - start);
    if (length <= 0 || !this.#isOpen) return undefined;
    // All of its memory, so that whoever sends it can give it back.
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafeSlow(length), 0, length, start);
    return bytesRead === length ? buffer : undefined;
  }

  async persist(): Promise<number> {
    this.#mustBeWritable();
    await this.#flush();
    await writePersistedSize(this.#path, this.#takenBytes);
    return this.#takenBytes;
  }

  async seal(): Promise<BlobFacts> {
    if (this.#facts !== undefined) return this.#facts;
    this.#mustBeWritable();
    await this.#flush();
    await this.#close();
    const sizeBytes = this.#takenBytes;
    const sha256 = this.#hash?.digest() ?? (await this.#store.writer.hashOf(this.id, this.#path, sizeBytes));
    return (this.#facts = { sha256, sizeBytes });
  }

  async publish(): Promise<void> {
    if (this.#facts === undefined) throw new Error('a content is sealed before it is published');
    const path = this.#store.blobPath(this.#facts.sha256);
    const folder = dirname(path);
    const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 }).catch(asFull);
    await rename(this.#path, path).catch(asFull);
    await syncFolder(folder);
    if (firstMade !== undefined) await syncNewFolders(folder, firstMade);
    await rm(persistedPath(this.#path), { force: true });
  }

  async release(): Promise<void> {
    if (this.#facts !== undefined || !this.#isOpen) return;
    if (this.#failure === undefined) await this.persist();
    await this.#close();
  }

  async discard(): Promise<void> {
    this.#failure ??= new Error('the content was discarded');
    await this.#close();
    await this.#store.discard(this.id);
  }

  /** Sends what is gathered on its way where there is room on it. */
  #sendGathered(): void {
    const isRoom = this.#writing.size === 0 || (this.#writing.size < 2 && this.#gatheredBytes >= gatheredBytesMax);
    if (this.#gathered.length === 0 || !isRoom || this.#failure !== undefined) return;
    this.#track(this.#write(this.#take()));
  }

  #track(work: Promise<void>): void {
    const writing: Promise<void> = work.finally(() => {
      this.#writing.delete(writing);
      this.#sendGathered();
    });
    this.#writing.add(writing);
  }

  #take(): WriteRequest {
    const taken = { id: this.id, fd: this.#file.fd, position: this.#sentBytes, pieces: this.#gathered };
    this.#sentBytes += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return taken;
  }

  /** A failure is told to the next call. */
  async #write(request: WriteRequest): Promise<void> {
    const endBytes = this.#sentBytes;
    try {
      await this.#store.writer.write(request);
      this.#writtenBytes = endBytes;
      this.#syncBehind();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  /** All that there is of a small one. */
  async #writeHere(hash: Hash): Promise<void> {
    const { fd, position, pieces } = this.#take();
    for (const piece of pieces) hash.update(piece);
    try {
      await writeAll(fd, pieces, position);
      this.#writtenBytes = this.#sentBytes;
    } catch (error) {
      this.#failure ??= error;
    }
    pieces.forEach(giveBack);
  }

  /** So that the last sync of a large file does not find all of it unwritten. */
  #syncBehind(): void {
    if (this.#syncing !== undefined || this.#writtenBytes - this.#syncedBytes < syncedEveryBytes) return;
    const written = this.#writtenBytes;
    this.#syncing = this.#file
      .datasync()
      .then(
        () => void (this.#syncedBytes = written),
        (error: unknown) => void (this.#failure ??= error),
      )
      .finally(() => void (this.#syncing = undefined));
  }

  /** Everything that was taken is on disk. */
  async #flush(): Promise<void> {
    if (this.#hash !== undefined && this.#gathered.length > 0) this.#track(this.#writeHere(this.#hash));
    while (this.#writing.size > 0) await Promise.all(this.#writing);
    await this.#syncing;
    this.#mustBeWritable();
    if (this.#syncedBytes === this.#writtenBytes) return;
    await this.#file.datasync().catch(asFull);
    this.#syncedBytes = this.#writtenBytes;
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#gathered = [];
    await Promise.all(this.#writing);
    await this.#syncing;
    await this.#file.close();
  }

  #mustBeWritable(): void {
    if (this.#failure !== undefined) asFull(this.#failure);
    if (!this.#isOpen) throw new Error('the content is not open any more');
  }
}

/** A new folder is a name in the one above it, and so on up to the one that was there. */
async function syncNewFolders(lowest: string, highest: string): Promise<void> {
  for (let folder = lowest; folder.length >= highest.length; folder = dirname(folder))
    await syncFolder(dirname(folder));
}

/** Up to that size another thread would cost more than it spares. */
const smallBytesMax = 262_144;
/** In pieces of that size things are written and gathered. */
const gatheredBytesMax = 1_048_576;
const syncedEveryBytes = 67_108_864;

/**
 * How much of a file surely survived. The file itself may be longer: after a power cut what is behind may be anything.
 * undefined: there is no such file. 0: nothing was promised.
 */
export async function readPersistedSize(path: string): Promise<number | undefined> {
  const size = (await stat(path).catch(absent))?.size;
  if (size === undefined) return undefined;
  const text = await readFile(persistedPath(path), 'utf8').catch(absent);
  const persisted = text === undefined || !/^\d{16}$/.test(text) ? 0 : Number(text);
  return Math.min(persisted, size);
}

/** In one write of fixed length within one block, which is there whole or not at all. */
async function writePersistedSize(path: string, sizeBytes: number): Promise<void> {
  const file = await open(persistedPath(path), openOrMake, 0o600).catch(asFull);
  try {
    await file.write(String(sizeBytes).padStart(16, '0'), 0);
    await file.datasync();
  } catch (error) {
    asFull(error);
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
}

const openOrMake = constants.O_WRONLY | constants.O_CREAT;
const persistedPath = (path: string): string => `${path}.persisted`;
