import { MatrixError } from '../matrix/errors.ts';
import { KeyedLock } from '../platform/keyed-lock.ts';
import type { Database } from '../storage/database.ts';
import { mediaUsage } from '../storage/stores/media-administration-store.ts';
import { openUploadUsage } from '../storage/stores/upload-store.ts';

export interface UserQuotaOptions {
  readonly db: Database;
  /** Of all files of one user together; undefined: no limit. */
  readonly userBytesMax: number | undefined;
  readonly userFilesMax: number | undefined;
  /** A page that tells users of the limit. */
  readonly infoUri: string;
}

/** Room that one upload has while it comes. */
export interface QuotaReservation {
  /** Makes it at least so many bytes in all; undefined: it is already. Rejects as `UserQuotas.reserve`. */
  cover(bytes: number): Promise<void> | undefined;
  /** Once the file's row is committed, or the upload is given up. */
  release(): void;
}

/** Of what is counted already. */
export const nothingReserved: QuotaReservation = { cover: () => undefined, release: () => undefined };

/**
 * How much each user may have: what is stored under URIs of theirs, each file in full even where others have the same content, what
 * their open resumable uploads will be, and what is being received.
 */
export class UserQuotas {
  readonly #options: UserQuotaOptions;
  readonly #turns = new KeyedLock<number>();
  readonly #held = new Map<number, Set<Held>>();

  constructor(options: UserQuotaOptions) {
    this.#options = options;
  }

  /**
   * Makes room for a file of so many bytes, or of so many at first. `files` 0: it is counted already. Throws 403
   * M_USER_LIMIT_EXCEEDED. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes
   */
  async reserve(user: number, bytes: number, files: 0 | 1 = 1): Promise<QuotaReservation> {
    const { userBytesMax, userFilesMax } = this.#options;
    if (userBytesMax === undefined && userFilesMax === undefined) return nothingReserved;
    const held: Held = { bytes: 0, files };
    await this.#hold(user, held, bytes, bytes);
    return {
      cover: (least) => (least <= held.bytes ? undefined : this.#hold(user, held, least, least + stepBytes)),
      release: () => this.#release(user, held),
    };
  }

  /** Reads what there is, so that what was deleted meanwhile gives room. */
  async #hold(user: number, held: Held, leastBytes: number, wantedBytes: number): Promise<void> {
    await this.#turns.run(user, async () => {
      const free = await this.#free(user, held);
      if (held.files > free.files) throw this.#exceeded('files');
      if (leastBytes > free.bytes) throw this.#exceeded('bytes');
      held.bytes = Math.min(wantedBytes, free.bytes);
      const all = this.#held.get(user) ?? new Set();
      this.#held.set(user, all.add(held));
    });
  }

  /** What the user may have beside all that is not `except`. */
  async #free(user: number, except: Held): Promise<Held> {
    const { db, userBytesMax = Infinity, userFilesMax = Infinity } = this.#options;
    // In this order: an upload that ends in between counts twice, and not never.
    const open = await db.one(openUploadUsage, { user });
    const stored = await db.one(mediaUsage, { user });
    const coming = [...(this.#held.get(user) ?? [])].filter((one) => one !== except);
    const parts = [open, stored, ...coming];
    return {
      bytes: userBytesMax - parts.reduce((sum, part) => sum + (part?.bytes ?? 0), 0),
      files: userFilesMax - parts.reduce((sum, part) => sum + (part?.files ?? 0), 0),
    };
  }

  #release(user: number, held: Held): void {
    const all = this.#held.get(user);
    all?.delete(held);
    if (all?.size === 0) this.#held.delete(user);
  }

  #exceeded(what: 'bytes' | 'files'): MatrixError {
    const { userBytesMax, userFilesMax, infoUri } = this.#options;
    const limit = what === 'bytes' ? `${userBytesMax} bytes` : `${userFilesMax} files`;
    return new MatrixError(403, 'M_USER_LIMIT_EXCEEDED', `You may have ${limit} here, and this would be more`, {
      info_uri: infoUri,
    });
  }
}

interface Held {
  bytes: number;
  readonly files: number;
}

/** By so much grows what an upload of unknown length has: each time costs two reads. */
const stepBytes = 1_048_576;
