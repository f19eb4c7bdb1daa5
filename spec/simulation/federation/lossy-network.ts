/** A network on the fake clock that loses, delays, reorders and repeats what passes, as a seed says. */
import { OutgoingHttpError } from '../../../src/platform/outgoing-http-error.ts';
import type { OutgoingHttp, OutgoingRequest, OutgoingResponse, Random } from '../../../src/platform/ports.ts';
import type { TestPorts } from '../../support/test-ports.ts';
import type { DirectRequest, DirectResponse } from './direct-listener.ts';

/** Who answers at a name. */
export type Peer = (request: DirectRequest, from: string) => Promise<DirectResponse>;

/** Of a hundred requests, how many fare so. */
export interface Faults {
  /** They never arrive. */
  readonly lostRequests: number;
  /** They are worked on, and the answer never arrives. */
  readonly lostAnswers: number;
  /** They arrive twice. */
  readonly repeated: number;
  /** They take seconds instead of milliseconds, so that others overtake them. */
  readonly slow: number;
}
export const noFaults: Faults = { lostRequests: 0, lostAnswers: 0, repeated: 0, slow: 0 };

export class LossyNetwork {
  faults: Faults = noFaults;
  /** Requests that were made, those included that nobody answered. */
  requestCount = 0;
  /** By operation, as "PUT send". */
  readonly counts = new Map<string, number>();
  readonly #ports: TestPorts;
  readonly #random: Random;
  readonly #log: (line: string) => void;
  readonly #peers = new Map<string, Peer>();
  readonly #cuts = new Set<string>();
  #inFlight = 0;

  constructor(ports: TestPorts, random: Random, log: (line: string) => void) {
    this.#ports = ports;
    this.#random = random;
    this.#log = log;
  }

  /** Requests that have neither been answered nor given up. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The way out of one server, for as long as it lives. */
  httpOf(from: string, isAlive: () => boolean): OutgoingHttp {
    return { request: (request) => this.#request(from, isAlive, request) };
  }
  connect(name: string, peer: Peer): void {
    this.#peers.set(name, peer);
  }
  disconnect(name: string): void {
    this.#peers.delete(name);
  }

  /** No request passes between the two, in either direction. */
  cut(one: string, other: string): void {
    this.#cuts.add(linkOf(one, other));
  }
  mendAll(): void {
    this.#cuts.clear();
  }
  get cuts(): number {
    return this.#cuts.size;
  }

  #request(from: string, isAlive: () => boolean, request: OutgoingRequest): Promise<OutgoingResponse> {
    const { hostname: to, pathname, search } = new URL(request.url);
    if (pathname.startsWith('/.well-known/'))
      return Promise.resolve({ status: 404, headers: {}, body: Buffer.alloc(0) });
    const uri = pathname + search;
    this.requestCount += 1;
    const operation = `${request.method} ${pathname.split('/')[4] ?? pathname}`;
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1);
    this.#inFlight += 1;
    const { timers } = this.#ports;
    const { promise, resolve, reject } = Promise.withResolvers<OutgoingResponse>();
    let isOver = false;
    const over = (): boolean => {
      if (isOver) return false;
      isOver = true;
      this.#inFlight -= 1;
      timer.cancel();
      request.signal?.removeEventListener('abort', onAbort);
      return isAlive();
    };
    const fail = (failure: 'connection' | 'timeout' | 'aborted' | 'too_large'): void => {
      if (!over()) return;
      this.#log(`${from} -> ${to} ${request.method} ${uri}: ${failure}`);
      reject(new OutgoingHttpError(failure, `${failure}: ${request.method} ${uri} of ${to}`));
    };
    const answer = (response: DirectResponse): void => {
      if (response.body.length > request.responseBytesMax) return fail('too_large');
      if (!over()) return;
      this.#log(`${from} -> ${to} ${request.method} ${uri}: ${response.status} ${shown(response.body)}`);
      resolve(response);
    };
    const onAbort = (): void => fail('aborted');
    const timer = timers.after(request.timeoutMs, () => fail('timeout'));
    request.signal?.addEventListener('abort', onAbort);
    if (request.signal?.aborted === true) fail('aborted');
    else this.#pass({ from, to, request, uri }, { fail, answer });
    return promise;
  }

  #pass(
    { from, to, request, uri }: { from: string; to: string; request: OutgoingRequest; uri: string },
    { fail, answer }: { fail: (failure: 'connection') => void; answer: (response: DirectResponse) => void },
  ): void {
    const { timers } = this.#ports;
    const { lostRequests, lostAnswers, repeated } = this.faults;
    const isLost = this.#happens(lostRequests);
    const isAnswerLost = this.#happens(lostAnswers);
    const deliver = (isFirst: boolean): void => {
      const peer = this.#peers.get(to);
      if (peer === undefined || this.#cuts.has(linkOf(from, to))) {
        if (isFirst) fail('connection');
        return;
      }
      const { method, headers, body } = request;
      peer({ method, uri, headers: lowerCased(headers), body }, from).then(
        (response) => {
          if (!isFirst || isAnswerLost) return;
          timers.after(this.#latencyMs(), () => {
            if (this.#cuts.has(linkOf(from, to))) fail('connection');
            else answer(response);
          });
        },
        () => {
          if (isFirst) fail('connection');
        },
      );
    };
    const latencyMs = this.#latencyMs();
    if (!isLost) timers.after(latencyMs, () => deliver(true));
    if (this.#happens(repeated)) timers.after(this.#latencyMs(), () => deliver(false));
  }

  #latencyMs(): number {
    return this.#happens(this.faults.slow) ? 200 + this.#random.int(10_000) : 1 + this.#random.int(20);
  }
  #happens(percent: number): boolean {
    return percent > 0 && this.#random.int(1_000) < percent * 10;
  }
}

const linkOf = (one: string, other: string): string => [one, other].toSorted().join(' ');
const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
const shown = (body: Buffer): string => body.toString('utf8', 0, 200);
