import type { RemoteMemberships } from './ports.ts';

/** What is made once rooms are there, for rooms themselves. */
export function membershipsLater(made: () => RemoteMemberships): RemoteMemberships {
  return {
    join: (request) => made().join(request),
    knock: (request) => made().knock(request),
    leave: (request) => made().leave(request),
    signInvite: (invite) => made().signInvite(invite),
  };
}
