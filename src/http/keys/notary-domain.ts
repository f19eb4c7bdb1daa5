import type { Federation } from '../../federation/index.ts';
import type { Clock } from '../../platform/ports.ts';

export interface NotaryDomain {
  readonly federation: Pick<Federation, 'notary'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}
