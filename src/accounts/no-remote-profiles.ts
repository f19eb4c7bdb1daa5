import { notFound } from '../matrix/errors.ts';
import type { RemoteProfiles } from './ports.ts';

/** Of a server that has to do with no other one. */
export const noRemoteProfiles: RemoteProfiles = {
  async load(userId) {
    throw notFound(`${userId} is of another server, and this one talks to no other`);
  },
};
