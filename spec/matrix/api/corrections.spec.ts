import { expect, test } from 'vitest';
import { correctedOperations, corrections } from '../../../src/matrix/api/corrections.ts';
import { operations } from '../../../src/matrix/api/operations.ts';

test.each(corrections)('$api $operationId is still defined otherwise: $reason', ({ api, operationId, change }) => {
  const defined = operations.filter((operation) => operation.api === api && operation.operationId === operationId);
  expect(defined).toHaveLength(1);
  expect(defined[0]).not.toMatchObject(change);
  expect(correctedOperations).toContainEqual({ ...defined[0], ...change });
});

test('corrected paths have no spaces, and an operation has one name within its API', () => {
  expect(correctedOperations.filter(({ path }) => /\s/.test(path))).toEqual([]);
  const names = correctedOperations.map(({ api, operationId }) => `${api} ${operationId}`);
  expect(names).toHaveLength(new Set(names).size);
});
