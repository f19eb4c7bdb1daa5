/** A thread that writes the pieces of large files and hashes them meanwhile, which would hold up everybody on the main one. */
import { createHash, type Hash } from 'node:crypto';
import { readSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import { Lru } from '../platform/lru.ts';
import { giveBack } from '../platform/transfer-memory.ts';

export type ContentWriterRequest = WriteRequest | DigestRequest;

/** The next pieces of a file. */
export interface WriteRequest {
  readonly kind: 'write';
  readonly id: string;
  /** Of the file, open for reading too. */
  readonly fd: number;
  readonly position: number;
  readonly pieces: readonly Uint8Array[];
}
/** Asks for the hash of what was written. */
export interface DigestRequest {
  readonly kind: 'digest';
  readonly id: string;
  readonly sizeBytes: number;
}
export interface ContentWriterResponse {
  /** Of what was asked for; absent where some of it was written before this thread began. */
  readonly sha256?: Uint8Array;
}

export function start(): (request: ContentWriterRequest) => Promise<ContentWriterResponse> {
  /** Of files that grow, until nobody asks for them any more. */
  const hashes = new Lru<string, HashedUntil>({ sizeMax: keptHashesMax });
  return async (request) => {
    if (request.kind === 'digest') return digest(hashes, request);
    const { id, fd, position, pieces } = request;
    const hashed = takeHashUntil(hashes, id, fd, position);
    const written = writeAll(fd, pieces, position);
    if (hashed !== undefined) {
      for (const piece of pieces) {
        hashed.hash.update(piece);
        hashed.sizeBytes += piece.byteLength;
      }
    }
    await written;
    pieces.forEach(giveBack);
    if (hashed !== undefined) hashes.set(id, hashed);
    return {};
  };
}

interface HashedUntil {
  readonly hash: Hash;
  sizeBytes: number;
}

/** Out of the kept ones, so that what fails in the middle is not gone on with. A small beginning is read again. */
function takeHashUntil(
  hashes: Lru<string, HashedUntil>,
  id: string,
  fd: number,
  sizeBytes: number,
): HashedUntil | undefined {
  const kept = hashes.find(id);
  hashes.delete(id);
  if (kept?.sizeBytes === sizeBytes) return kept;
  if (sizeBytes > readAgainBytesMax) return undefined;
  const hash = createHash('sha256');
  const beginning = Buffer.allocUnsafe(sizeBytes);
  for (let at = 0; at < sizeBytes;) {
    const count = readSync(fd, beginning, at, sizeBytes - at, at);
    if (count === 0) return undefined;
    at += count;
  }
  hash.update(beginning);
  return { hash, sizeBytes };
}

function digest(hashes: Lru<string, HashedUntil>, { id, sizeBytes }: DigestRequest): ContentWriterResponse {
  const kept = hashes.find(id);
  hashes.delete(id);
  return kept?.sizeBytes === sizeBytes ? { sha256: kept.hash.digest() } : {};
}

/** A disk that is nearly full takes a part of what it is given and says so; the next attempt says why. */
export async function writeAll(fd: number, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let left = pieces;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await writeSome(fd, left, at);
    at += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

function behind(pieces: readonly Uint8Array[], writtenBytes: number): Uint8Array[] {
  let skipped = writtenBytes;
  return pieces.flatMap((piece) => {
    const here = Math.min(skipped, piece.length);
    skipped -= here;
    return here === piece.length ? [] : [piece.subarray(here)];
  });
}

const writeSome = promisify(writev);
const keptHashesMax = 10_000;
const readAgainBytesMax = 1_048_576;
