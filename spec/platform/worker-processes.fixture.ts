/** A worker module with one request for each way in which a process can end, and one for what it knows. */
export type FixtureRequest =
  | { readonly kind: 'echo'; readonly value: unknown }
  | { readonly kind: 'fail' }
  | { readonly kind: 'about' }
  | { readonly kind: 'grow' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'crash' };

const kept: Buffer[] = [];

export function start(data: { readonly greeting: string }): (request: FixtureRequest) => unknown {
  return (request) => {
    switch (request.kind) {
      case 'echo':
        return { greeting: data.greeting, value: request.value };
      case 'fail':
        throw Object.assign(new RangeError('no such picture'), { code: 'EPICTURE' });
      case 'about':
        return { pid: process.pid, environment: Object.keys(process.env) };
      case 'grow':
        return grow();
      case 'hang':
        for (;;);
      case 'crash':
        process.abort();
    }
  };
}

async function grow(): Promise<never> {
  for (;;) {
    kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
