import { describe, expect, test } from 'vitest';
import { correctedOperations } from '../../../src/matrix/api/corrections.ts';
import { specification } from '../../../src/matrix/api/operations.ts';
import {
  declaredVersions,
  missingUpTo,
  operationName,
  type OperationName,
} from '../../../src/matrix/versions/declared-versions.ts';
import { laterParts } from '../../../src/matrix/versions/later-parts.ts';

const all = correctedOperations.map(operationName);
const without = (...names: OperationName[]): ReadonlySet<OperationName> =>
  new Set(all.filter((name) => !names.includes(name)));

test('v1.1 always', () => {
  expect(declaredVersions(new Set())).toEqual(['v1.1']);
});

test('every version when everything is served', () => {
  const versions = declaredVersions(new Set(all));
  expect(versions).toHaveLength(20);
  expect(versions[0]).toBe('r0.6.1');
  expect(versions.at(-1)).toBe(specification.version);
});

describe('a missing operation', () => {
  test('keeps its version and all later ones from being declared', () => {
    expect(declaredVersions(without('client-server getThreadRoots'))).toEqual(['r0.6.1', 'v1.1', 'v1.2', 'v1.3']);
    expect(declaredVersions(without('client-server getAdminLockUser')).at(-1)).toBe('v1.17');
    expect(declaredVersions(without('client-server getMutualRooms')).at(-1)).toBe('v1.18');
    expect(missingUpTo(3, without('client-server getThreadRoots'))).toEqual([]);
    expect(missingUpTo(4, without('client-server getThreadRoots'))).toEqual(['client-server getThreadRoots']);
  });
  test('of v1.1 or before keeps all later ones back', () => {
    expect(declaredVersions(without('client-server knockRoom'))).toEqual(['r0.6.1', 'v1.1']);
    expect(declaredVersions(without('client-server sync'))).toEqual(['v1.1']);
  });
  test('of another API keeps nothing back', () => {
    const served = without('server-server getSpaceHierarchy', 'application-service ping');
    expect(declaredVersions(served).at(-1)).toBe(specification.version);
  });
  test('that comes in a later part keeps nothing but r0 back', () => {
    const served = new Set(all.filter((name) => !Object.hasOwn(laterParts, name)));
    const versions = declaredVersions(served);
    expect(versions[0]).toBe('v1.1');
    expect(versions.at(-1)).toBe(specification.version);
  });
});

test('what comes in a later part exists', () => {
  expect(Object.keys(laterParts).filter((name) => !all.includes(name as OperationName))).toEqual([]);
});
