import { getServerKey } from './get-server-key.ts';

export const keysEndpoints = [getServerKey];
