/** A worker module as the server has them, with one request for each way a request can go. */
import { Transferring } from '../../src/platform/worker-protocol.ts';

export type FixtureRequest =
  | { readonly kind: 'echo'; readonly value: unknown }
  | { readonly kind: 'slow'; readonly value: unknown }
  | { readonly kind: 'history' }
  | { readonly kind: 'fail' }
  | { readonly kind: 'failOddly' }
  | { readonly kind: 'give'; readonly length: number }
  | { readonly kind: 'crash' };

export function start(data: { readonly greeting: string }): (request: FixtureRequest) => unknown {
  const history: string[] = [];
  return (request) => {
    history.push(request.kind);
    switch (request.kind) {
      case 'echo':
        return { greeting: data.greeting, value: request.value };
      case 'slow':
        return slow(request.value, history);
      case 'history':
        return [...history];
      case 'fail':
        throw Object.assign(new RangeError('disk full'), { code: 'SQLITE_FULL' });
      case 'failOddly':
        return Promise.reject('no error object' as unknown);
      case 'give': {
        const bytes = new Uint8Array(request.length).fill(7);
        return new Transferring(bytes, [bytes.buffer]);
      }
      case 'crash':
        queueMicrotask(() => {
          throw new Error('a fault outside a request');
        });
        return new Promise(() => undefined);
    }
  };
}

async function slow(value: unknown, history: string[]): Promise<unknown> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  history.push('slow done');
  return value;
}
