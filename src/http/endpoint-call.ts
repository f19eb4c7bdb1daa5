import type { EndpointRequest } from './endpoint.ts';
import type { Exchange } from './exchange.ts';

/** What a handler sees. The types are those that `defineEndpoint` forgot; they fit because the same endpoint decoded them. */
export class EndpointCall implements EndpointRequest<never, never, never, never> {
  readonly params: never;
  readonly query: never;
  readonly body: never;
  readonly requester: never;
  readonly client: Exchange;

  constructor(params: unknown, query: unknown, body: unknown, requester: unknown, client: Exchange) {
    this.params = params as never;
    this.query = query as never;
    this.body = body as never;
    this.requester = requester as never;
    this.client = client;
  }
  get signal(): AbortSignal {
    return this.client.signal;
  }
  header(name: string): string | undefined {
    return this.client.header(name);
  }
}
