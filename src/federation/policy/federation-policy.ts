import { forbidden, type MatrixError } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { Counter, Metrics } from '../../platform/metrics.ts';
import { FederationError } from '../federation-error.ts';

export interface FederationPolicySettings {
  readonly enabled: boolean;
}
type Reason = 'federation_off';

/** With which servers this one talks, and in which direction. Each refusal is counted. */
export class FederationPolicy {
  readonly #settings: FederationPolicySettings;
  readonly #refusals: Counter<'direction' | 'reason'>;

  constructor(settings: FederationPolicySettings, metrics: Metrics) {
    this.#settings = settings;
    this.#refusals = metrics.counter(
      'veche_federation_refusals_total',
      "Requests of and to other servers that this server's policy refused.",
      ['direction', 'reason'],
    );
  }

  /** Throws MatrixError 403 M_FORBIDDEN where requests of the server are not answered. */
  assertMayReceiveFrom(server: ServerName): void {
    const reason = this.#reasonAgainst(server);
    if (reason === undefined) return;
    this.#refusals.add({ direction: 'in', reason });
    throw refusal(reason);
  }

  /** Throws FederationError 'refused' where the server is not asked anything. */
  assertMaySendTo(server: ServerName): void {
    const reason = this.#reasonAgainst(server);
    if (reason === undefined) return;
    this.#refusals.add({ direction: 'out', reason });
    throw new FederationError(server, 'refused', sentences[reason]);
  }

  #reasonAgainst(_server: ServerName): Reason | undefined {
    return this.#settings.enabled ? undefined : 'federation_off';
  }
}

const sentences: Readonly<Record<Reason, string>> = {
  federation_off: 'This server does not talk to other servers',
};
const refusal = (reason: Reason): MatrixError => forbidden(sentences[reason]);
