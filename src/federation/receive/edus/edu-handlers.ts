/** What other servers tell beside events, by type. https://spec.matrix.org/v1.19/server-server-api/#edus */
import type { ServerName } from '../../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../../../matrix/json/json-value.ts';
import { isRawNumber } from '../../../matrix/json/raw-number.ts';
import type { ReceiveContext } from '../context.ts';

export interface Edu {
  readonly type: string;
  /** With exact numbers. */
  readonly content: JsonObject;
}

/**
 * Takes all EDUs of its type in a transaction, in their order. What is malformed in them is left out. What must not be lost is on disk
 * when it resolves; when it rejects the transaction is sent again.
 */
export type EduHandler = (origin: ServerName, contents: readonly JsonObject[]) => Promise<void>;

export class EduHandlers {
  readonly #counters: ReceiveContext['counters'];
  readonly #handlers = new Map<string, EduHandler>();

  constructor({ counters }: Pick<ReceiveContext, 'counters'>) {
    this.#counters = counters;
  }

  /** Throws when the type has a handler already. */
  register(type: string, handler: EduHandler): void {
    if (this.#handlers.has(type)) throw new Error(`${type} has two handlers`);
    this.#handlers.set(type, handler);
  }

  /** Those of unknown types are ignored. */
  async handle(origin: ServerName, edus: readonly Edu[]): Promise<void> {
    for (const [type, some] of Map.groupBy(edus, (edu) => edu.type)) {
      const handler = this.#handlers.get(type);
      this.#counters.edus.add({ outcome: handler === undefined ? 'unknown' : 'taken' }, some.length);
      if (handler !== undefined)
        await handler(
          origin,
          some.map(({ content }) => content),
        );
    }
  }
}

/** Empty: it is no EDU. */
export function eduOf(value: JsonObject): Edu[] {
  const { edu_type: type, content } = value;
  return typeof type === 'string' && isJsonObject(content) && !isRawNumber(content) ? [{ type, content }] : [];
}
