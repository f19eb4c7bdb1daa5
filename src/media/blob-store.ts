/**
 * Where the bytes of files are: a store of contents, each under its SHA-256 and therefore once. It knows nothing of users,
 * names and types. Nothing here holds a whole content in memory, and sizes are safe integers.
 * docs/decisions/0023-media.md
 */
import type { Readable } from 'node:stream';

export interface BlobFacts {
  /** 32 bytes. */
  readonly sha256: Buffer;
  readonly sizeBytes: number;
}

/** From `start` up to and not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface BlobStore {
  /** Begins a content. `id` names it until it is published: 1 to 64 of `A-Za-z0-9_-`, never used before. Throws BlobStoreFull. */
  begin(id: string): Promise<PartialBlob>;
  /**
   * Continues one that was begun, and maybe left by a process that was killed, behind the last byte that is surely on disk.
   * undefined when there is none. Only one at a time may write to an id.
   */
  resume(id: string): Promise<PartialBlob | undefined>;
  /** The ids of all that were begun and neither published nor discarded. */
  partialIds(): AsyncIterable<string>;
  /** Removes what was begun under an id, if anything was. */
  discard(id: string): Promise<void>;

  /** The size of a published content, or undefined. */
  findSize(sha256: Buffer): Promise<number | undefined>;
  /**
   * A published content, or the part of it that `range` says (not empty, and within its size). Rejects with BlobMissing. The
   * stream must be read to its end or destroyed.
   */
  open(sha256: Buffer, range?: ByteRange): Promise<Readable>;
  /** Removes a published content, if it is there. Streams that are open may be read to their ends. */
  remove(sha256: Buffer): Promise<void>;

  /** undefined where nobody knows, as in object stores. */
  freeBytes(): Promise<number | undefined>;
}

/** A content that is being written. Its calls are made one after another. */
export interface PartialBlob {
  readonly id: string;
  /** How many bytes were taken. */
  readonly sizeBytes: number;
  /**
   * Takes the next bytes and the memory that they are in: nobody may use them afterwards. Resolves when there is room for more, which is what holds a
   * fast sender back. Rejects with BlobStoreFull; then the content is lost behind what was persisted.
   */
  append(chunk: Buffer): Promise<void>;
  /** Up to `bytesMax` of the bytes from `start` on. undefined: they are not written yet, or it is sealed. May be called meanwhile. */
  read(start: number, bytesMax: number): Promise<Buffer | undefined>;
  /** Puts what was taken on disk. Resolves with the size from which `resume` will continue: all, or in an object store less. */
  persist(): Promise<number>;
  /** No more bytes: the whole of it is on disk. */
  seal(): Promise<BlobFacts>;
  /** After `seal`: makes it readable under its hash. It survives a power cut once this resolves. */
  publish(): Promise<void>;
  /** Lets go of it, for `resume` to continue later. What was not persisted may be lost. */
  release(): Promise<void>;
  /** Removes it. May be called at any time, also after a failure. */
  discard(): Promise<void>;
}

/** There is no room left for what should be stored. */
export class BlobStoreFull extends Error {
  override readonly name = 'BlobStoreFull';
}
/** The store could not be asked, or did not do it. The message says what and why for the log, and nothing secret. */
export class BlobStoreUnavailable extends Error {
  override readonly name = 'BlobStoreUnavailable';
}
/** The store has no such content, although it should. */
export class BlobMissing extends Error {
  override readonly name = 'BlobMissing';
}

export function assertPartialId(id: string): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw new RangeError('not the id of an unfinished content');
}
