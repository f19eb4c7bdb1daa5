/**
 * Everything that is not a function of its arguments comes through one of these. `createServer(config, overrides)` takes
 * replacements, so that a test owns time, chance and the network, and a simulation is repeatable.
 * spec/tidy.spec.ts forbids the originals outside src/platform.
 */
import type { Duplex, Readable } from 'node:stream';

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds on a clock that never goes back; only differences mean something. */
  monotonicMs(): number;
}

export interface TimerHandle {
  cancel(): void;
}
export interface Timers {
  /** `run` once after `delayMs`. A timer does not keep the process alive. */
  after(delayMs: number, run: () => void): TimerHandle;
  /** On a later turn of the event loop, after pending input and output. */
  soon(run: () => void): void;
  sleep(delayMs: number): Promise<void>;
}

export interface Random {
  bytes(count: number): Buffer;
  /** A whole number in [0, below). */
  int(below: number): number;
}

/** Name resolution for federation and other outgoing requests. */
export interface Dns {
  lookup(host: string): Promise<readonly { readonly address: string; readonly family: 4 | 6 }[]>;
  srv(
    name: string,
  ): Promise<
    readonly { readonly name: string; readonly port: number; readonly priority: number; readonly weight: number }[]
  >;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** From the call to the last byte of the response, name resolution included. */
  readonly timeoutMs: number;
  /** Without a byte in either direction. Absent: 30 s. */
  readonly idleTimeoutMs?: number;
  readonly responseBytesMax: number;
  /**
   * Told the status and the headers, it decides how many bytes of the body are read; the rest is cut off. More than
   * `responseBytesMax` is an error as ever. Absent: all of it.
   */
  readonly bodyBytesWanted?: (head: Pick<OutgoingResponse, 'status' | 'headers'>) => number;
  /** Which certificates and which private addresses are acceptable. Absent: 'general' (push, previews, providers). */
  readonly purpose?: OutgoingPurpose;
  /** Where to connect instead of the host and port of `url` (federation's server discovery). The Host header stays the caller's. */
  readonly connect?: { readonly host: string; readonly port: number };
  /** The name that the TLS certificate must be valid for. Absent: the host of `url`. */
  readonly servername?: string;
  readonly signal?: AbortSignal;
}
export type OutgoingPurpose = 'federation' | 'general';
export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}
/** Every request that leaves the server. The real one refuses private addresses unless configured, and follows no redirect. */
export interface OutgoingHttp {
  /** Rejects with OutgoingHttpError (outgoing-http-error.ts). A status of 400 or above is a response, not an error. */
  request(request: OutgoingRequest): Promise<OutgoingResponse>;
}

/** For what is too large for memory. `timeoutMs` ends with the headers of the response: there is no limit on how long a body takes. */
export type StreamedRequest = Omit<OutgoingRequest, 'responseBytesMax' | 'bodyBytesWanted'>;
export interface StreamedResponse extends Omit<OutgoingResponse, 'body'> {
  /**
   * The body while it comes, no faster than it is read. Ends in an OutgoingHttpError when it is cut, the signal is aborted, or nothing
   * comes for `idleTimeoutMs` although it is read. To be read to its end or destroyed.
   */
  readonly body: Readable;
}
export interface StreamingHttp extends OutgoingHttp {
  /** Resolves with the headers. Rejects as `request` does. */
  stream(request: StreamedRequest): Promise<StreamedResponse>;
}

/** One message to one person. */
export interface OutgoingMail {
  /** "Name <user@domain>", or the address alone. */
  readonly from: string;
  /** One address. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
/** The way to the mail server. */
export interface MailTransport {
  /** Resolves when the mail server has taken the message. Rejects with MailError (mail-error.ts). */
  send(mail: OutgoingMail): Promise<void>;
}

/** Where a program listens, by the configuration's word. */
export type SocketAddress = { readonly path: string } | { readonly host: string; readonly port: number };
/** Connections to programs that the configuration names, such as a scanner of files: whatever their addresses are, they are meant. */
export interface OutgoingSockets {
  /** Rejects with the system's error. `signal` ends the attempt, and later the connection: its stream is destroyed. */
  connect(address: SocketAddress, signal: AbortSignal): Promise<Duplex>;
}

/** A thread that answers requests one after another. The inline form runs the same module in the same thread. */
export interface WorkerChannel<Request, Response> {
  call(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Response>;
  close(): Promise<void>;
}
export interface Workers {
  /** `module`: URL of a module that exports `start(data): handler`, where `handler(request)` gives the response. */
  start<Request, Response>(module: URL, data: unknown): WorkerChannel<Request, Response>;
  /** Whether SQLite must stay in this thread and in memory, as in simulations. */
  readonly inline: boolean;
}

/** A worker that is a process of its own. Nothing is transferred to it: requests and responses are copied. */
export interface WorkerProcess<Request, Response> {
  call(request: Request): Promise<Response>;
  /** Lets what was asked before finish first. */
  close(): Promise<void>;
  /** Ends it whatever it does; what it is asked rejects with WorkerEnded. */
  kill(): Promise<void>;
}
export interface WorkerProcessOptions {
  /** It ends itself beyond that. */
  readonly rssBytesMax: number;
}
export interface WorkerProcesses {
  /** `module` as for Workers; `data` must be JSON. */
  start<Request, Response>(module: URL, data: unknown, options: WorkerProcessOptions): WorkerProcess<Request, Response>;
}

export interface Ports {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly dns: Dns;
  readonly http: StreamingHttp;
  readonly mail: MailTransport;
  readonly sockets: OutgoingSockets;
  readonly workers: Workers;
  readonly processes: WorkerProcesses;
}
