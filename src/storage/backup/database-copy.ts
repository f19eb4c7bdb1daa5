/** What is kept of a medium in the list; its bytes are files that are copied by other means. */
export interface MediaRow {
  readonly origin: string;
  readonly media_id: string;
  /** In hexadecimal; null while an upload is awaited. */
  readonly sha256: string | null;
  readonly bytes: number | null;
}

/** The database's part of a backup: what was copied, at one moment. */
export interface DatabaseCopy {
  /** Paths in the backup's folder. */
  readonly files: readonly string[];
  readonly facts: ReadonlyMap<string, string>;
  readonly media: readonly MediaRow[];
}
