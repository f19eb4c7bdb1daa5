import Sqlite from 'better-sqlite3';

export interface SqliteOptions {
  /** A file, or ':memory:'. */
  readonly path: string;
  /** With ':memory:': what is in it at first, as the bytes of a database file. Absent: nothing. */
  readonly image?: Buffer;
  /** Page cache of each connection; SQLite's own memory. */
  readonly cacheBytes?: number;
  /** How much of the file may be mapped into memory; 0 = none. */
  readonly mmapBytes?: number;
  /** The database file may not grow beyond this; writes fail then as on a full disk. */
  readonly fileBytesMax?: number;
  /** false: a commit does not wait for the disk. What is committed outlives the end of the process, and no more. */
  readonly isDurable?: boolean;
}

/** Rows go to many places; a larger page writes more bytes to the log for each of them (measured: 27 against 17 KB per message). */
export const pageBytes = 4096;
/** How long to wait for a lock that another program has, such as a backup. */
export const busyTimeoutMs = 10_000;
const defaultCacheBytes = 16 * 1024 * 1024;
/** The write-ahead log is copied into the database when it has grown by so much. */
const checkpointBytes = 64 * 1024 * 1024;
/** And cut back to this when a checkpoint has emptied it. */
export const walBytesMax = 128 * 1024 * 1024;

/** The one connection that writes. `synchronous = FULL`: a commit has returned only when it is on disk. */
export function openWriterConnection(options: SqliteOptions): Sqlite.Database {
  const connection = new Sqlite(options.image ?? options.path, { timeout: busyTimeoutMs });
  connection.pragma(`page_size = ${pageBytes}`);
  connection.pragma('journal_mode = WAL');
  connection.pragma(`synchronous = ${options.isDurable === false ? 'OFF' : 'FULL'}`);
  connection.pragma(`wal_autocheckpoint = ${Math.ceil(checkpointBytes / pageBytes)}`);
  connection.pragma(`journal_size_limit = ${walBytesMax}`);
  connection.pragma('temp_store = MEMORY');
  if (options.fileBytesMax !== undefined)
    connection.pragma(`max_page_count = ${Math.floor(options.fileBytesMax / pageBytes)}`);
  setMemory(connection, options);
  return connection;
}

/** A connection that sees what is committed and cannot change it. */
export function openReaderConnection(options: SqliteOptions): Sqlite.Database {
  const connection = new Sqlite(options.path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  setMemory(connection, options);
  return connection;
}

function setMemory(connection: Sqlite.Database, options: SqliteOptions): void {
  connection.pragma(`cache_size = ${-Math.ceil((options.cacheBytes ?? defaultCacheBytes) / 1024)}`);
  connection.pragma(`mmap_size = ${options.mmapBytes ?? 0}`);
}
