import type { Dns, Random } from '../../platform/ports.ts';

export type SrvRecord = Awaited<ReturnType<Dns['srv']>>[number];

/**
 * In the order in which they are to be tried: the lowest priority first, and among equals by chance, in proportion to their weights.
 * https://www.rfc-editor.org/rfc/rfc2782
 */
export function inSrvOrder(records: readonly SrvRecord[], random: Pick<Random, 'int'>): readonly SrvRecord[] {
  const byPriority = Map.groupBy(records, ({ priority }) => priority);
  const priorities = [...byPriority.keys()].toSorted((a, b) => a - b);
  return priorities.flatMap((priority) => byWeight(byPriority.get(priority) ?? [], random));
}

function byWeight(records: readonly SrvRecord[], random: Pick<Random, 'int'>): readonly SrvRecord[] {
  // Those without weight first, so that they have a small chance.
  const left = records.toSorted((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    let drawn = random.int(total + 1);
    const index = left.findIndex(({ weight }) => (drawn -= weight) <= 0);
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
}
