import { getCapabilities } from './get-capabilities.ts';

export const capabilitiesEndpoints = [getCapabilities];
