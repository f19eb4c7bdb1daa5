import { getVersion } from './get-version.ts';

export const federationEndpoints = [getVersion];
