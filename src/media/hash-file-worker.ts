/** A thread that hashes files: reading gigabytes again would hold up everybody on the main one. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

export interface HashRequest {
  readonly path: string;
}
export interface HashResponse {
  readonly sha256: Uint8Array;
}

export function start(): (request: HashRequest) => HashResponse {
  const buffer = Buffer.alloc(stepBytes);
  return ({ path }) => {
    const hash = createHash('sha256');
    const file = openSync(path, 'r');
    try {
      for (;;) {
        const count = readSync(file, buffer, 0, stepBytes, null);
        if (count === 0) return { sha256: hash.digest() };
        hash.update(count === stepBytes ? buffer : buffer.subarray(0, count));
      }
    } finally {
      closeSync(file);
    }
  };
}

const stepBytes = 1_048_576;
