import type { Clock } from '../../platform/ports.ts';
import type { PartialBlob } from '../blob-store.ts';
import { headBytes } from '../upload-content.ts';

/** What comes of an upload on one connection. */
export interface PartBody {
  /** The bytes, no faster than they are taken. Throws when the connection ends before its time. */
  chunks(): AsyncIterable<Buffer>;
  /** Ends the connection at once. */
  cut(): void;
}

export interface Receiving {
  readonly partial: PartialBlob;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** The first bytes of the content that are known already. */
  readonly head: Buffer;
  /** Called before each chunk is taken, with the size that the content will have. Throws, or rejects, to refuse it. */
  readonly admit: (sizeBytes: number) => Promise<void> | undefined;
  /** Called when some more of the content is to be promised: the first bytes must be kept before. */
  readonly keepHead: (head: Buffer) => Promise<void>;
  /** Told of the offset from which the upload continues whatever happens now. */
  readonly onPersisted: (offsetBytes: number) => Promise<void> | void;
}

/**
 * Writes what comes, and promises it to survive every few seconds, or every few mebibytes on a fast line. Throws what the body
 * throws; what had come by then is taken, and persisted when the caller lets go of the partial.
 */
export async function receivePart(body: PartBody, receiving: Receiving): Promise<void> {
  const { partial, clock } = receiving;
  const head = new Head(receiving.head);
  let [persistedBytes, persistedMs] = [partial.sizeBytes, clock.monotonicMs()];
  try {
    for await (const chunk of body.chunks()) {
      const admitting = receiving.admit(partial.sizeBytes + chunk.length);
      if (admitting !== undefined) await admitting;
      head.add(chunk);
      await partial.append(chunk);
      const isMuch = partial.sizeBytes - persistedBytes >= persistedEveryBytes;
      if (!isMuch && clock.monotonicMs() - persistedMs < persistedEveryMs) continue;
      if (head.isNew()) await receiving.keepHead(head.bytes);
      persistedBytes = await partial.persist();
      persistedMs = clock.monotonicMs();
      await receiving.onPersisted(persistedBytes);
    }
  } finally {
    if (head.isNew()) await receiving.keepHead(head.bytes);
  }
}

/** The first bytes of a content, which tell what it is. */
class Head {
  bytes: Buffer;
  #keptLength: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#keptLength = bytes.length;
  }

  add(chunk: Buffer): void {
    if (this.bytes.length < headBytes)
      this.bytes = Buffer.concat([this.bytes, chunk.subarray(0, headBytes - this.bytes.length)]);
  }

  /** Whether there is more than was kept; the caller keeps it. */
  isNew(): boolean {
    const isNew = this.bytes.length > this.#keptLength;
    this.#keptLength = this.bytes.length;
    return isNew;
  }
}

const persistedEveryBytes = 16_777_216;
const persistedEveryMs = 2_000;
