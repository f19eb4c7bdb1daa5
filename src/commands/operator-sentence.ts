import { OperatorError } from '../platform/operator-error.ts';

/**
 * What an error says to whoever runs the server, when it is something that they can mend: what is ours to refuse, files, addresses,
 * the database, certificates. Undefined for every other error: that is a fault of ours, and its stack is needed.
 */
export function findOperatorSentence(error: unknown): string | undefined {
  if (error instanceof OperatorError) return error.message;
  if (error instanceof AggregateError) return error.errors.map(findOperatorSentence).find((text) => text !== undefined);
  if (!(error instanceof Error) || !('code' in error) || !isKnown(error)) return undefined;
  if (error.syscall !== undefined) return systemSentence(error);
  if (sqliteCode.test(error.code)) return `the SQLite database cannot be used: ${error.message}`;
  if (error.severity !== undefined && postgresCode.test(error.code)) return `PostgreSQL refuses: ${error.message}`;
  if (error.code.startsWith('ERR_OSSL'))
    return `the certificate or the private key of a listener cannot be used: ${error.message}`;
  return undefined;
}

const isKnown = (error: Error & { readonly code: unknown }): error is Error & KnownError =>
  typeof error.code === 'string';

/** The fields of the errors of Node, better-sqlite3 and pg. */
interface KnownError {
  readonly code: string;
  readonly message: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly severity?: string;
}

/** Where the file, the disk or another process is to blame, and not a statement. */
const sqliteCode = /^SQLITE_(BUSY|CANTOPEN|CORRUPT|FULL|IOERR|NOTADB|PERM|READONLY)/;
/** Authorisation, no such database, privileges, no connections left, starting or stopping. */
const postgresCode = /^(28...|3D000|42501|53...|57P0.)$/;

function systemSentence({ code, message, syscall, path, address, port, hostname }: KnownError): string {
  if (syscall === 'listen') {
    const place = port === undefined ? address : `${address?.includes(':') ? `[${address}]` : address}:${port}`;
    return `cannot listen on ${place}: ${listenReasons[code] ?? message}`;
  }
  if (syscall === 'connect') return `the database does not answer: ${message}`;
  if (hostname !== undefined) return `the host ${hostname} cannot be found: ${message}`;
  const reason = fileReasons[code];
  return path === undefined || reason === undefined ? message : `${path}: ${reason} (${syscall})`;
}

const listenReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not (ports below 1024 need a privilege)',
  EADDRINUSE: 'another program does already',
  EADDRNOTAVAIL: 'this machine does not have this address',
};

const fileReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it',
  EEXIST: 'there is something else of this name',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of it is not a folder',
  EPERM: 'this user may not use it',
  EROFS: 'the disk is read-only',
};
