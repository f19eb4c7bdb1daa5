import { limits } from '../../platform/limits.ts';
import type { TimerHandle, Timers, WorkerProcess, WorkerProcesses } from '../../platform/ports.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import type { ImageErrorCode, ImageRequest, ImageResponse, ImageWorkerData, MadeThumbnail } from './image-worker.ts';
import type { ThumbnailSize } from './thumbnail-sizes.ts';

/** No thumbnail can be made of this image, now or later. */
export class ImageRefused extends Error {
  override readonly name = 'ImageRefused';
  readonly reason: 'too large' | 'unreadable';

  constructor(reason: ImageRefused['reason'], options?: { readonly cause?: unknown }) {
    super(`the image is ${reason}`, options);
    this.reason = reason;
  }
}

export interface ImageWorkersOptions {
  readonly processes: WorkerProcesses;
  readonly timers: Pick<Timers, 'after'>;
  readonly processesMax: number;
  readonly pixelsMax: number;
}

type ImageProcess = WorkerProcess<ImageRequest, ImageResponse>;

/**
 * Processes that make thumbnails: started when there is work, at most `processesMax`, each for one image at a time, and ended when there
 * was none for a while. One that takes too long, grows too large or crashes is ended, and its image is refused.
 */
export class ImageWorkers {
  readonly #options: ImageWorkersOptions;
  readonly #turns: Semaphore;
  readonly #idle: ImageProcess[] = [];
  readonly #all = new Set<ImageProcess>();
  #idleTimer: TimerHandle | undefined;

  constructor(options: ImageWorkersOptions) {
    this.#options = options;
    this.#turns = new Semaphore(options.processesMax, limits.thumbnailsWaitingMax);
  }

  /** Throws ImageRefused, SemaphoreFull when too many wait already, and what `open` and its stream throw. */
  async make(
    open: () => Promise<AsyncIterable<Buffer>>,
    size: ThumbnailSize,
    isAnimated: boolean,
  ): Promise<MadeThumbnail> {
    return this.#turns.run(() => this.#make(open, size, isAnimated));
  }

  /** How many processes there are. */
  get count(): number {
    return this.#all.size;
  }

  async close(): Promise<void> {
    this.#idleTimer?.cancel();
    await Promise.all([...this.#all].map((worker) => this.#end(worker)));
  }

  async #make(
    open: () => Promise<AsyncIterable<Buffer>>,
    size: ThumbnailSize,
    isAnimated: boolean,
  ): Promise<MadeThumbnail> {
    this.#idleTimer?.cancel();
    const chunks = await open();
    const worker = this.#idle.pop() ?? this.#start();
    const time = this.#options.timers.after(limits.thumbnailMs, () => void this.#end(worker));
    let isUsable = false;
    let isWorking = false;
    try {
      for await (const chunk of chunks) {
        isWorking = true;
        await worker.call({ kind: 'take', chunk });
        isWorking = false;
      }
      isWorking = true;
      const made = await worker.call({ kind: 'make', size, isAnimated });
      if (made === undefined) throw new Error('the worker made nothing');
      isUsable = true;
      return made;
    } catch (error) {
      if (!isWorking) throw error;
      isUsable = codeOf(error) !== undefined;
      throw new ImageRefused(codeOf(error) === 'IMAGE_TOO_LARGE' ? 'too large' : 'unreadable', { cause: error });
    } finally {
      time.cancel();
      if (isUsable) this.#idle.push(worker);
      else await this.#end(worker);
      this.#rest();
    }
  }

  #start(): ImageProcess {
    const data: ImageWorkerData = {
      pixelsMax: this.#options.pixelsMax,
      animatedPixelsMax: limits.thumbnailAnimatedPixelsMax,
      framesMax: limits.thumbnailFramesMax,
    };
    const module = new URL('./image-worker.ts', import.meta.url);
    const worker: ImageProcess = this.#options.processes.start(module, data, {
      rssBytesMax: limits.thumbnailProcessBytesMax,
    });
    this.#all.add(worker);
    return worker;
  }

  async #end(worker: ImageProcess): Promise<void> {
    this.#all.delete(worker);
    await worker.kill();
  }

  #rest(): void {
    this.#idleTimer?.cancel();
    this.#idleTimer = this.#options.timers.after(limits.thumbnailProcessIdleMs, () => {
      for (const worker of this.#idle.splice(0)) void this.#end(worker);
    });
  }
}

function codeOf(error: unknown): ImageErrorCode | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return error.code === 'IMAGE_TOO_LARGE' || error.code === 'IMAGE_UNREADABLE' ? error.code : undefined;
}
