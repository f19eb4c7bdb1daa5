import { getVersions } from './get-versions.ts';

export const versionsEndpoints = [getVersions];
