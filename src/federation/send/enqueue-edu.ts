import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import {
  dropReplacedEdus,
  dropUnwantedReplacedEdus,
  insertEdu,
  insertEduServers,
} from '../../storage/stores/outgoing-store.ts';

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** EDUs wait for these servers. */
    'outgoing-edu': { readonly serverNids: readonly number[] };
  }
}

/** https://spec.matrix.org/v1.19/server-server-api/#edus */
export interface DurableEdu {
  readonly type: string;
  readonly content: JsonObject;
  /** It says all that earlier ones with the same value said, so that they need not be sent any more. */
  readonly replaces?: string;
}

/**
 * Part of a unit: servers other than ours are sent the EDU once the unit is committed, in the order of the calls, and again until
 * they have acknowledged it, also after a restart. Gives the EDU's position. Without servers nothing is written.
 */
export function enqueueEdu(unit: UnitBuilder, serverNids: readonly number[], edu: DurableEdu): number | undefined {
  if (serverNids.length === 0) return undefined;
  const { type, content, replaces } = edu;
  if (replaces !== undefined) {
    unit.run(dropReplacedEdus, { servers: serverNids, replaces });
    unit.run(dropUnwantedReplacedEdus, { replaces });
  }
  const pos = unit.nextPos();
  unit.run(insertEdu, { pos, replaces: replaces ?? null, json: legacyCanonicalJson({ content, edu_type: type }) });
  unit.run(insertEduServers, { pos, servers: serverNids });
  unit.wake({ kind: 'outgoing-edu', serverNids });
  return pos;
}

/** What other parts queue by. Without federation nothing is kept for servers that will not get it. */
export function outgoingEdus(isEnabled: boolean) {
  return {
    enqueue(unit: UnitBuilder, serverNids: readonly number[], edu: DurableEdu): void {
      if (isEnabled) enqueueEdu(unit, serverNids, edu);
    },
  };
}
