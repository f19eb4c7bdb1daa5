/** One connection of a client to a whole server, over HTTP, in either shape. */
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import { type TestResponse, requestJson } from '../../../support/test-server.ts';

export interface SlidingRoom {
  readonly membership?: string;
  readonly lists?: readonly string[];
  readonly initial?: boolean;
  readonly expanded_timeline?: boolean;
  readonly unstable_expanded_timeline?: boolean;
  readonly name?: string | null;
  readonly avatar?: string | null;
  readonly heroes?: readonly {
    readonly user_id: string;
    readonly displayname?: string;
    readonly avatar_url?: string;
  }[];
  readonly is_dm?: boolean;
  readonly required_state?: readonly SlidingEvent[];
  readonly timeline?: readonly SlidingEvent[];
  readonly limited?: boolean;
  readonly prev_batch?: string;
  readonly num_live?: number;
  readonly joined_count?: number;
  readonly invited_count?: number;
  readonly notification_count?: number;
  readonly highlight_count?: number;
  readonly bump_stamp?: number;
  readonly invite_state?: readonly SlidingEvent[];
  readonly stripped_state?: readonly SlidingEvent[];
}
export interface SlidingEvent {
  readonly type: string;
  readonly event_id?: string;
  readonly sender?: string;
  readonly state_key?: string;
  readonly content?: JsonObject;
  readonly unsigned?: JsonObject;
}
export interface SlidingAnswer {
  readonly pos: string;
  readonly lists: Readonly<Record<string, { readonly count: number }>>;
  readonly rooms: Readonly<Record<string, SlidingRoom>>;
  readonly extensions: SlidingExtensionAnswers;
}
export interface SlidingExtensionAnswers {
  readonly account_data?: {
    readonly global: readonly SlidingEvent[];
    readonly rooms: Readonly<Record<string, readonly SlidingEvent[]>>;
  };
  readonly receipts?: { readonly rooms: Readonly<Record<string, SlidingEvent>> };
  readonly to_device?: { readonly next_batch: string; readonly events: readonly SlidingEvent[] };
  readonly e2ee?: JsonObject;
  readonly typing?: { readonly rooms: Readonly<Record<string, SlidingEvent>> };
}

export interface SlidingAsk {
  readonly pos?: string | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly setPresence?: string;
}

const paths = {
  unstable: '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
  v4: '/_matrix/client/v4/sync',
} as const;

export class SlidingClient {
  readonly #server: { readonly url: string };
  readonly #token: string | undefined;
  readonly shape: 'unstable' | 'v4';
  /** Of the last answer. */
  pos: string | undefined;

  constructor(
    server: { readonly url: string },
    { token }: { readonly token: string | undefined },
    shape: 'unstable' | 'v4' = 'unstable',
  ) {
    this.#server = server;
    this.#token = token;
    this.shape = shape;
  }

  /** The next answer; `ask.pos` undefined in so many words: from the beginning. */
  async next(body: JsonObject, ask: SlidingAsk = {}): Promise<SlidingAnswer> {
    const { status, text, json } = await this.ask(body, { pos: this.pos, ...ask });
    if (status !== 200) throw new Error(`the request was answered with ${status}: ${text}`);
    this.pos = String(json['pos']);
    return JSON.parse(text) as SlidingAnswer;
  }

  ask(body: JsonObject, { pos, timeoutMs = 0, signal, setPresence }: SlidingAsk): Promise<TestResponse> {
    const parameters = {
      ...(pos === undefined ? {} : { pos }),
      timeout: timeoutMs,
      ...(setPresence === undefined ? {} : { set_presence: setPresence }),
    };
    const isV4 = this.shape === 'v4';
    return requestJson(this.#server.url, 'POST', paths[this.shape], {
      token: this.#token,
      body: isV4 ? { ...body, ...parameters } : body,
      ...(isV4 ? {} : { query: parameters }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** What somebody reads of events: the text, or what they are. */
export const readOf = (events: readonly SlidingEvent[] = []): unknown[] =>
  events.map(
    ({ type, content, state_key: key }) =>
      content?.['body'] ?? (key === undefined || key === '' ? type : `${type} ${key}`),
  );
