/** The thread of the only connection that writes. See `Workers` in platform/ports.ts. */
import type Sqlite from 'better-sqlite3';
import type { Diagnostics } from '../engine.ts';
import { type SqliteOptions, openWriterConnection } from './connection.ts';
import { type GroupMessage, decodeGroup } from './group-message.ts';
import { SqliteWriter, type WriterReport } from './writer.ts';

export type WriterRequest =
  | ({ readonly kind: 'group' } & GroupMessage)
  /** Nobody writes: time to bring the log into the database. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'diagnostics' }
  | { readonly kind: 'close' };

export type WriterResponse =
  | { readonly kind: 'report'; readonly report: WriterReport }
  | { readonly kind: 'diagnostics'; readonly diagnostics: Diagnostics }
  | { readonly kind: 'done' };

export function start(options: SqliteOptions): (request: WriterRequest) => WriterResponse {
  return writerHandler(openWriterConnection(options));
}

/** Answers one request after another. Inline it is called in the main thread. */
export function writerHandler(connection: Sqlite.Database): (request: WriterRequest) => WriterResponse {
  const writer = new SqliteWriter(connection);
  return (request) => {
    switch (request.kind) {
      case 'group':
        writer.learn(request.statements);
        return { kind: 'report', report: writer.runGroup(decodeGroup(request.program)) };
      case 'idle':
        writer.truncateLog();
        return { kind: 'done' };
      case 'diagnostics':
        return { kind: 'diagnostics', diagnostics: writer.diagnostics() };
      case 'close':
        connection.close();
        return { kind: 'done' };
    }
  };
}
