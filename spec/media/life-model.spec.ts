/** Whatever is done with files and whenever the process is killed meanwhile: what is stored is what rows refer to. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import type { MxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import type { BlobStore, PartialBlob } from '../../src/media/blob-store.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { removeIdleMedia, removeIdleThumbnails } from '../../src/media/life/remove-idle-media.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { openContent } from '../../src/media/open-content.ts';
import { removeContent } from '../../src/media/remove-content.ts';
import { storeUpload, uploadContent } from '../../src/media/upload-content.ts';
import type { Database, UnitBuilder, UnitTicket } from '../../src/storage/database.ts';
import { insertThumbnail } from '../../src/storage/stores/thumbnail-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type TestPorts, testPorts } from '../support/test-ports.ts';
import { WatchedDatabase } from '../support/watched-database.ts';
import { bodyOf, mediaContext } from './support/media-context.ts';

const alice = { userId: '@alice:test' as UserId, userNid: 1_000_000_000_001 };
const dayMs = 86_400_000;

type Step =
  | { readonly kind: 'upload' | 'copy' | 'thumbnail'; readonly content: number; readonly file: number }
  | { readonly kind: 'delete' | 'read'; readonly file: number }
  | { readonly kind: 'retain'; readonly of: 'local' | 'remote' | 'thumbnails'; readonly days: number };
const steps = fc.array(
  fc.record({
    // Several at once, and so many calls of the database and the store until the process is killed.
    steps: fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constantFrom('upload' as const, 'copy' as const, 'thumbnail' as const),
          content: fc.nat(4),
          file: fc.nat(9),
        }),
        fc.record({ kind: fc.constantFrom('delete' as const, 'read' as const), file: fc.nat(9) }),
        fc.record({
          kind: fc.constant('retain' as const),
          of: fc.constantFrom('local' as const, 'remote' as const, 'thumbnails' as const),
          days: fc.nat(3),
        }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    killedAfter: fc.option(fc.nat(25), { nil: undefined }),
    waitDays: fc.nat(2),
  }),
  { minLength: 1, maxLength: 12 },
);

describeOnBothEngines('contents and what refers to them', (engine) => {
  it('are the same after any sequence of uploads, deletions, thumbnails, retention and kills', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (rounds) => {
        const folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
        const run = await Run.start(folder, await engine.open());
        try {
          for (const { steps: together, killedAfter, waitDays } of rounds) {
            await run.round(together, killedAfter);
            const { referred, ...state } = await run.state();
            const announced = referred.map((hash) => `${hash} 1`);
            expect(state).toEqual({ partial: [], stored: referred, announced });
            await run.wait(waitDays);
          }
        } finally {
          await run.end();
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: engine.name === 'sqlite' ? 60 : 15 },
    );
  }, 300_000);
});

class Run {
  readonly #folder: string;
  readonly #db: Database;
  readonly #ports: TestPorts;
  readonly #store: LocalBlobStore;
  readonly #files: (MxcUri | undefined)[] = [];
  readonly #partials: PartialBlob[] = [];
  #ctx: MediaContext;
  #copies = 0;

  private constructor(folder: string, db: Database, ports: TestPorts, store: LocalBlobStore) {
    this.#folder = folder;
    this.#db = db;
    this.#ports = ports;
    this.#store = store;
    this.#ctx = mediaContext(db, store, ports);
  }

  static async start(folder: string, db: Database): Promise<Run> {
    const ports = testPorts();
    return new Run(folder, db, ports, await LocalBlobStore.open(folder, ports));
  }

  /** All steps at once; where the process is killed meanwhile it has started again when this resolves. */
  async round(together: readonly Step[], killedAfter: number | undefined): Promise<void> {
    const life = new Life(killedAfter);
    this.#ctx = mediaContext(new MortalDatabase(this.#db, life), this.#mortalStore(life), this.#ports);
    await Promise.race([Promise.all(together.map((step) => this.#do(step))), life.ended]);
    if (killedAfter === undefined) return;
    life.end();
    // What had begun before ends as it may.
    await life.settled();
    await this.#db.drained();
    for (const partial of this.#partials.splice(0)) await partial.release();
    this.#ctx = mediaContext(this.#db, this.#store, this.#ports);
    await this.#ctx.blobs.collectDebris();
  }

  async wait(days: number): Promise<void> {
    await this.#db.drained();
    await this.#ports.advance(days * dayMs);
  }

  /** Hashes of what is in the folder, and of what each table says. */
  async state(): Promise<{ partial: string[]; stored: string[]; announced: string[]; referred: string[] }> {
    await this.#db.drained();
    const names = (part: string): string[] =>
      readdirSync(join(this.#folder, part), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .toSorted();
    const media = await this.#db.dynamic((q) => q.selectFrom('media').select('sha256'));
    const thumbnails = await this.#db.dynamic((q) => q.selectFrom('thumbnail').select('sha256'));
    const blobs = await this.#db.dynamic((q) => q.selectFrom('blob').select(['sha256', 'settled']));
    const hashes = (rows: readonly { sha256: Buffer | null }[]): string[] =>
      [...new Set(rows.flatMap(({ sha256 }) => sha256?.toString('hex') ?? []))].toSorted();
    return {
      partial: names('partial'),
      stored: names('blobs'),
      announced: blobs.map(({ sha256, settled }) => `${sha256.toString('hex')} ${settled}`).toSorted(),
      referred: hashes([...media, ...thumbnails]),
    };
  }

  async end(): Promise<void> {
    await this.#db.drained();
    await this.#store.close();
  }

  async #do(step: Step): Promise<void> {
    const ctx = this.#ctx;
    if (step.kind === 'retain') return this.#retain(step.of, step.days);
    if (step.kind === 'upload') {
      const facts = { contentType: undefined, fileName: undefined, lengthBytes: undefined };
      this.#files[step.file] = await uploadContent(ctx, alice, facts, bodyOf(textOf(step.content)));
      return;
    }
    if (step.kind === 'copy') {
      const uri = { serverName: 'elsewhere.example' as MxcUri['serverName'], mediaId: `copy${++this.#copies}` };
      const partial = await ctx.blobs.receive(bodyOf(textOf(step.content)), undefined);
      await storeUpload(ctx, partial, uri, { contentType: undefined, fileName: undefined, user: undefined });
      this.#files[step.file] = uri;
      return;
    }
    const uri = this.#files[step.file];
    if (uri === undefined) return;
    if (step.kind === 'delete') return void (await removeContent(ctx, uri));
    const options = { timeoutMs: 0, signal: () => AbortSignal.abort() };
    const source = await openContent(ctx, uri, options).catch(() => undefined);
    if (source !== undefined && step.kind === 'thumbnail') await this.#makeThumbnail(ctx, source.sha256, step.content);
  }

  async #retain(of: 'local' | 'remote' | 'thumbnails', days: number): Promise<void> {
    const removing = { ...this.#ctx, referencesKnown: () => Promise.resolve(true) };
    const beforeTs = this.#ports.clock.nowMs() - days * dayMs;
    if (of === 'thumbnails') await removeIdleThumbnails(removing, beforeTs);
    else await removeIdleMedia(removing, { of, beforeTs, removesProtected: false, keeps: 'nothing' });
  }

  /** As src/media/thumbnails keeps one; its content may be that of a file or of another thumbnail. */
  async #makeThumbnail({ blobs }: MediaContext, source: Buffer, content: number): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    const shape = { width: content + 1, height: 1, method: 'crop', animated: 0, contentType: 'image/png' };
    await blobs.keep(await blobs.receive(bodyOf(textOf(content)), undefined), (unit, { sha256, sizeBytes }) =>
      unit.run(insertThumbnail, { ...shape, source, sha256, bytes: sizeBytes, usedTs: nowMs - (nowMs % dayMs) }),
    );
    const row = await this.#db.dynamic((q) => q.selectFrom('blob').select('settled').where('sha256', '=', source));
    if (row[0]?.settled !== 1) await blobs.removeThumbnailsOf(source);
  }

  #mortalStore(life: Life): BlobStore {
    const store = this.#store;
    const mortal = (partial: PartialBlob): PartialBlob => {
      this.#partials.push(partial);
      return {
        id: partial.id,
        get sizeBytes() {
          return partial.sizeBytes;
        },
        append: (chunk) => life.step(() => partial.append(chunk)),
        read: (start, bytesMax) => life.step(() => partial.read(start, bytesMax)),
        persist: () => life.step(() => partial.persist()),
        seal: () => life.step(() => partial.seal()),
        publish: () => life.step(() => partial.publish()),
        release: () => life.step(() => partial.release()),
        discard: () => life.step(() => partial.discard()),
      };
    };
    return {
      begin: (id) => life.step(async () => mortal(await store.begin(id))),
      resume: (id) => life.step(() => store.resume(id)),
      partialIds: () => store.partialIds(),
      discard: (id) => life.step(() => store.discard(id)),
      findSize: (sha256) => life.step(() => store.findSize(sha256)),
      open: (sha256, range) => life.step(() => store.open(sha256, range)),
      remove: (sha256) => life.step(() => store.remove(sha256)),
      freeBytes: () => store.freeBytes(),
    };
  }
}

const textOf = (content: number): string =>
  createHash('sha256')
    .update(String(content))
    .digest('hex')
    .repeat(content + 1);

/** A process that ends after so many calls: what it asks for then is not done, and never answered. */
class Life {
  readonly ended: Promise<void>;
  readonly #running = new Set<Promise<unknown>>();
  readonly #tellEnd: () => void;
  #left: number;

  constructor(calls: number | undefined) {
    this.#left = calls ?? Infinity;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#tellEnd = resolve;
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    if (!this.takes()) return new Promise<never>(() => undefined);
    const running = work();
    this.#running.add(running);
    try {
      const result = await running;
      return this.#left < 0 ? await new Promise<never>(() => undefined) : result;
    } finally {
      this.#running.delete(running);
    }
  }

  takes(): boolean {
    if (this.#left < 0) return false;
    this.#left--;
    if (this.#left >= 0) return true;
    this.#tellEnd();
    return false;
  }

  end(): void {
    this.#left = -1;
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}

class MortalDatabase extends WatchedDatabase {
  readonly #life: Life;

  constructor(db: Database, life: Life) {
    super(db);
    this.#life = life;
  }

  override write(build: (unit: UnitBuilder) => void): UnitTicket {
    if (!this.#life.takes()) return { serial: 0, committed: new Promise(() => undefined) };
    const ticket = super.write(build);
    return { serial: ticket.serial, committed: this.#life.step(() => ticket.committed) };
  }
}
