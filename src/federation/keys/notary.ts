/** Keys of other servers for those who trust us. https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { signJson } from '../../matrix/json/signed-json.ts';
import { limits } from '../../platform/limits.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import { serverKeyAnswers } from '../../storage/stores/server-key-store.ts';
import type { ServerKeyRing } from './key-ring.ts';
import { ownKeys } from './own-keys.ts';

export interface NotaryParts {
  readonly db: Database;
  readonly localServers: LocalServers;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly keyRing: Pick<ServerKeyRing, 'ask'>;
}

export class Notary {
  readonly #parts: NotaryParts;

  constructor(parts: NotaryParts) {
    this.#parts = parts;
  }

  /**
   * What the servers say of their keys, signed by us too; nothing of those who cannot be asked and were not before. `wanted`: until
   * when the keys of each should be good. Of very many servers only the first are answered.
   */
  async answer(wanted: ReadonlyMap<ServerName, number>): Promise<readonly JsonObject[]> {
    const servers = [...wanted].slice(0, limits.notaryServersMax);
    const answers = await Promise.all(servers.map(([server, validUntilTs]) => this.#answersOf(server, validUntilTs)));
    return answers.flat().map((answer) => this.#signed(answer));
  }

  async #answersOf(server: ServerName, validUntilTs: number): Promise<readonly JsonObject[]> {
    if (this.#parts.localServers.isLocal(server)) return [ownKeys(server, this.#parts)];
    const known = await this.#knownAnswers(server);
    if (known.some((answer) => Number(answer['valid_until_ts']) >= validUntilTs)) return known;
    await this.#parts.keyRing.ask(server);
    return this.#knownAnswers(server);
  }

  async #knownAnswers(server: ServerName): Promise<readonly JsonObject[]> {
    const rows = await this.#parts.db.all(serverKeyAnswers, { server, limit: answersMax });
    return rows.map(({ json }) => parseJson(json, { numbers: 'exact' })).filter(isJsonObject);
  }

  #signed(answer: JsonObject): JsonObject {
    const { localServers } = this.#parts;
    return signJson(answer, localServers.main, localServers.signingKeyOf(localServers.main), legacyCanonicalJson);
  }
}

/** Of one server: keys that it does not name any more are only in older ones. */
const answersMax = 3;
