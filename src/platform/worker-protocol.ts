/** What goes over the wire between a worker and those who call it, and how an error survives the journey. */
import type { Transferable } from 'node:worker_threads';

export interface WorkerRequest {
  readonly id: number;
  readonly request: unknown;
}
export type WorkerReply =
  { readonly id: number; readonly response: unknown } | { readonly id: number; readonly error: WireError };

export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

export type WorkerHandler = (request: unknown) => unknown;

/** A response whose buffers are moved to the caller instead of copied. */
export class Transferring<Response> {
  readonly response: Response;
  readonly transfer: readonly Transferable[];

  constructor(response: Response, transfer: readonly Transferable[]) {
    this.response = response;
    this.transfer = transfer;
  }
}

export async function loadHandler(module: string, data: unknown): Promise<WorkerHandler> {
  const loaded: unknown = await import(module);
  if (!hasStart(loaded)) throw new TypeError(`${module} does not export start(data)`);
  return loaded.start(data);
}

function hasStart(loaded: unknown): loaded is { start(data: unknown): WorkerHandler | Promise<WorkerHandler> } {
  return typeof loaded === 'object' && loaded !== null && 'start' in loaded && typeof loaded.start === 'function';
}

export function toWireError(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: undefined, stack: undefined };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { name: error.name, message: error.message, code, stack: error.stack };
}

/** An Error with the `name`, `message` and `code` of the one thrown in the worker; its class does not come along. */
export function fromWireError(wire: WireError): Error {
  const error = new Error(wire.message);
  error.name = wire.name;
  if (wire.stack !== undefined) error.stack = wire.stack;
  return wire.code === undefined ? error : Object.assign(error, { code: wire.code });
}
