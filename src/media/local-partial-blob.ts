import type { Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlobFacts, PartialBlob } from './blob-store.ts';
import { absent, asFull, syncFolder } from './disk.ts';

/** What an unfinished content needs of the store that it belongs to. */
export interface LocalBlobPlace {
  blobPath(sha256: Buffer): string;
  keepHash(id: string, hash: Hash, sizeBytes: number): void;
  hashFile(path: string): Promise<Buffer>;
  discard(id: string): Promise<void>;
}

interface Begun {
  readonly id: string;
  readonly path: string;
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** Of what is there already; undefined: nobody knows, and all of it is read again in the end. */
  readonly hash: Hash | undefined;
  readonly store: LocalBlobPlace;
}

/**
 * A file that grows. While one piece is being written the next ones are hashed and gathered, so that the disk and this
 * thread work at the same time.
 */
export class LocalPartialBlob implements PartialBlob {
  readonly id: string;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #store: LocalBlobPlace;
  readonly #hash: Hash | undefined;
  #takenBytes: number;
  #writtenBytes: number;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> | undefined;
  #syncedBytes: number;
  #syncing: Promise<void> | undefined;
  #failure: unknown;
  #isOpen = true;
  #facts: BlobFacts | undefined;

  constructor({ id, path, file, sizeBytes, hash, store }: Begun) {
    this.id = id;
    this.#path = path;
    this.#file = file;
    this.#store = store;
    this.#hash = hash;
    this.#takenBytes = this.#writtenBytes = this.#syncedBytes = sizeBytes;
  }

  get sizeBytes(): number {
    return this.#takenBytes;
  }

  async append(chunk: Buffer): Promise<void> {
    this.#mustBeWritable();
    if (chunk.length === 0) return;
    this.#hash?.update(chunk);
    this.#takenBytes += chunk.length;
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    this.#writing ??= this.#write();
    // One piece is on its way to the disk and one is being gathered: more would only fill the memory.
    if (this.#gatheredBytes >= gatheredBytesMax) await this.#writing;
    this.#mustBeWritable();
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
    const sha256 = this.#hash?.digest() ?? (await this.#store.hashFile(this.#path));
    return (this.#facts = { sha256, sizeBytes: this.#takenBytes });
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
    if (this.#failure === undefined) {
      await this.persist();
      if (this.#hash !== undefined) this.#store.keepHash(this.id, this.#hash, this.#takenBytes);
    }
    await this.#close();
  }

  async discard(): Promise<void> {
    this.#failure ??= new Error('the content was discarded');
    await this.#close();
    await this.#store.discard(this.id);
  }

  /** Writes what is gathered until nothing is; a failure is told to the next call. */
  async #write(): Promise<void> {
    try {
      while (this.#gathered.length > 0) {
        const pieces = this.#gathered;
        this.#gathered = [];
        this.#gatheredBytes = 0;
        await writeAll(this.#file, pieces, this.#writtenBytes);
        for (const piece of pieces) this.#writtenBytes += piece.length;
        this.#syncBehind();
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#writing = undefined;
    }
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
    await this.#writing;
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
    await this.#writing;
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

/** In pieces of that size things are written and gathered. */
const gatheredBytesMax = 1_048_576;
const syncedEveryBytes = 67_108_864;

/** A disk that is nearly full takes a part of what it is given and says so; the next attempt says why. */
async function writeAll(file: FileHandle, pieces: readonly Buffer[], position: number): Promise<void> {
  let left = pieces;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left, at);
    at += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

function behind(pieces: readonly Buffer[], writtenBytes: number): Buffer[] {
  let skipped = writtenBytes;
  return pieces.flatMap((piece) => {
    const here = Math.min(skipped, piece.length);
    skipped -= here;
    return here === piece.length ? [] : [piece.subarray(here)];
  });
}

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
