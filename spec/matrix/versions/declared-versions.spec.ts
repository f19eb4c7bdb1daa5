import { describe, expect, test } from 'vitest';
import { correctedOperations } from '../../../src/matrix/api/corrections.ts';
import { specification } from '../../../src/matrix/api/operations.ts';
import {
  declaredVersions,
  lackingIn,
  laterVersions,
  missingFor,
  operationName,
  type OperationName,
} from '../../../src/matrix/versions/declared-versions.ts';
import { notCounted } from '../../../src/matrix/versions/not-counted.ts';

const all = correctedOperations.map(operationName);
const without = (...names: OperationName[]): ReadonlySet<OperationName> =>
  new Set(all.filter((name) => !names.includes(name)));

test('v1.1 always', () => {
  expect(declaredVersions(new Set())).toEqual(['v1.1']);
});

test('every version when everything is served', () => {
  const versions = declaredVersions(new Set(all));
  expect(versions).toHaveLength(19);
  expect(versions.at(-1)).toBe(specification.version);
});

describe('a missing operation', () => {
  test('keeps its version and all later ones from being declared', () => {
    expect(declaredVersions(without('client-server getThreadRoots'))).toEqual(['v1.1', 'v1.2', 'v1.3']);
    expect(declaredVersions(without('client-server getAdminLockUser')).at(-1)).toBe('v1.17');
    expect(missingFor(4, without('client-server getThreadRoots'))).toEqual(['client-server getThreadRoots']);
  });
  test('of the federation counts as well', () => {
    expect(declaredVersions(without('server-server getSpaceHierarchy'))).toEqual(['v1.1']);
  });
  test('that does not count keeps nothing back', () => {
    const served = without('client-server createContent', 'application-service ping');
    expect(declaredVersions(served).at(-1)).toBe('v1.19');
    expect(lackingIn(7, served)).toEqual(['application-service ping', 'client-server createContent']);
    expect(missingFor(7, served)).toEqual([]);
  });
  test('of version 1.1 or before keeps nothing back', () => {
    expect(declaredVersions(without('client-server knockRoom', 'client-server sync')).at(-1)).toBe('v1.19');
  });
});

test('what does not count exists, and was added after 1.1', () => {
  const later = new Set(
    laterVersions.flatMap((minor) =>
      correctedOperations.filter(({ addedIn }) => addedIn === `1.${minor}`).map(operationName),
    ),
  );
  expect(Object.keys(notCounted).filter((name) => !later.has(name as OperationName))).toEqual([]);
});
