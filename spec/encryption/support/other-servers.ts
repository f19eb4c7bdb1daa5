/** For servers whose users are all there are. */
import type { OutgoingEdus, RemoteKeys } from '../../../src/encryption/ports.ts';

const refuse = () => Promise.reject(new Error('there is no other server'));

export const nobodyElse: RemoteKeys = { query: refuse, claim: refuse, devices: refuse };

/** As without federation: nobody is told. */
export const noEdus: OutgoingEdus = { enqueue() {} };
