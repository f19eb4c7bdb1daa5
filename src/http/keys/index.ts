import { bulkPerspectivesKeyQuery } from './bulk-perspectives-key-query.ts';
import { getServerKey } from './get-server-key.ts';
import { perspectivesKeyQuery } from './perspectives-key-query.ts';

export const keysEndpoints = [getServerKey, perspectivesKeyQuery, bulkPerspectivesKeyQuery];
