/** Files too large for memory, and what a server takes of memory while it has to do with them. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Writes a file in which no two mebibytes are the same; gives its SHA-256. */
export async function makeLargeFile(path: string, sizeBytes: number): Promise<Buffer> {
  const hash = createHash('sha256');
  const block = randomBytes(1_048_576);
  const file = await open(path, 'w');
  for (let at = 0; at < sizeBytes; at += block.length) {
    block.writeDoubleBE(at, 0);
    const piece = block.subarray(0, Math.min(block.length, sizeBytes - at));
    hash.update(piece);
    await file.write(piece);
  }
  await file.close();
  return hash.digest();
}

/** Of a process with those that it has started. */
export class MemoryWatch {
  readonly idleBytes: number;
  readonly #pid: number;

  /** From now on. */
  constructor(pid: number) {
    this.#pid = pid;
    // Resets the high-water marks: proc(5).
    for (const one of this.#pids()) writeFileSync(`/proc/${one}/clear_refs`, '5');
    this.idleBytes = this.#sum('VmRSS');
  }

  /** The most that was in use at once, or more where processes had their peaks at different times. */
  get peakBytes(): number {
    return this.#sum('VmHWM');
  }

  #sum(field: string): number {
    const sizes = this.#pids().map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024;
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  #pids(): readonly number[] {
    const found = [this.#pid];
    for (const pid of found)
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
        found.push(...children.split(' ').filter(Boolean).map(Number));
      }
    return found;
  }
}
