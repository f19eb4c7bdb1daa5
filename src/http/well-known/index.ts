import { getWellKnown } from './get-well-known.ts';
import { getWellknownPolicy } from './get-wellknown-policy.ts';
import { getWellknownSupport } from './get-wellknown-support.ts';
import { getWellknown } from './get-wellknown.ts';

export const wellKnownEndpoints = [getWellknown, getWellKnown, getWellknownSupport, getWellknownPolicy];
