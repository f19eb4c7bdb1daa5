/**
 * npm run conformance:update — writes down which operations are not served yet and, where ../shared is there, what the
 * specification says of requests.
 */
import { join } from 'node:path';
import { allEndpoints } from '../../src/http/all-endpoints.ts';
import { unservedOperations } from './compare-operations.ts';
import { sharedFolder } from '../support/shared.ts';
import { requestDefinitionsIn, writeRequestDefinitions } from './bad-input/request-definitions.ts';
import { readUnservedList, writeUnservedList } from './unserved-list.ts';

const before = new Set(readUnservedList());
const unserved = unservedOperations(allEndpoints);
for (const line of unserved) if (!before.has(line)) console.log(`+ ${line}`);
for (const line of before) if (!unserved.includes(line)) console.log(`- ${line}`);
writeUnservedList(unserved);
console.log(`${unserved.length} operations are not served.`);

const shared = sharedFolder();
if (shared !== undefined) writeRequestDefinitions(requestDefinitionsIn(join(shared, 'matrix-spec')));
