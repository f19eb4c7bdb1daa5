import type { BlobFacts, PartialBlob } from './blob-store.ts';

export interface Spooled {
  /** The same content on the local disk. */
  readonly local: PartialBlob;
  /** Brings what is sealed into the object store. */
  publish(facts: BlobFacts): Promise<void>;
}

/** A content that is received on the local disk and goes to the object store when it is published. */
export class S3PartialBlob implements PartialBlob {
  readonly #local: PartialBlob;
  readonly #publish: (facts: BlobFacts) => Promise<void>;
  #facts: BlobFacts | undefined;

  constructor({ local, publish }: Spooled) {
    this.#local = local;
    this.#publish = publish;
  }

  get id(): string {
    return this.#local.id;
  }
  get sizeBytes(): number {
    return this.#local.sizeBytes;
  }

  append(chunk: Buffer): Promise<void> {
    return this.#local.append(chunk);
  }
  read(start: number, bytesMax: number): Promise<Buffer | undefined> {
    return this.#local.read(start, bytesMax);
  }
  persist(): Promise<number> {
    return this.#local.persist();
  }
  async seal(): Promise<BlobFacts> {
    return (this.#facts = await this.#local.seal());
  }
  /** When it fails the received file is there as before, and it may be tried again. */
  async publish(): Promise<void> {
    if (this.#facts === undefined) throw new Error('a content is sealed before it is published');
    await this.#publish(this.#facts);
    await this.#local.discard();
  }
  release(): Promise<void> {
    return this.#local.release();
  }
  discard(): Promise<void> {
    return this.#local.discard();
  }
}
