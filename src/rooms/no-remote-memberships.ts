import { forbidden, notFound } from '../matrix/errors.ts';
import type { PolicyServers, RemoteAliases, RemoteMemberships, RemoteSpaces } from './ports.ts';

/** Of a server that has to do with no other one. */
export const noRemoteMemberships: RemoteMemberships = {
  async join({ roomId }) {
    throw notFound(`This server does not know the room ${roomId}`);
  },
  async knock({ roomId }) {
    throw notFound(`This server does not know the room ${roomId}`);
  },
  async leave() {
    return undefined;
  },
  async signInvite({ event }) {
    throw forbidden(`${event.stateKey} is of another server, and this one talks to no other`);
  },
};

export const noRemoteAliases: RemoteAliases = {
  async resolve(alias) {
    throw notFound(`${alias} is of another server, and this one talks to no other`);
  },
};

export const noRemoteSpaces: RemoteSpaces = {
  recall: () => 'nothing',
  ask: () => Promise.resolve('nothing'),
};

export const noPolicyServers: PolicyServers = {
  async sign({ server }) {
    throw forbidden(`The room wants ${server} to check it, and this server talks to no other`);
  },
};
