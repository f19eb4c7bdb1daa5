/** For servers whose users are all there are. */
import type { OutgoingDeviceLists, OutgoingEdus, RemoteKeys } from '../../../src/encryption/ports.ts';
import type { KnownLists } from '../../../src/encryption/remote-lists/remote-lists.ts';

const refuse = () => Promise.reject(new Error('there is no other server'));

export const nobodyElse: RemoteKeys = { query: refuse, claim: refuse, devices: refuse };

/** As before anybody of another server was asked for. */
export const nothingKept: KnownLists = { known: async () => new Map(), wantSoon() {} };

/** As without federation: nobody is told. */
export const noEdus: OutgoingEdus = { enqueue() {} };
export const nobodyTold: OutgoingDeviceLists = { devicesChanged() {}, signingKeysChanged() {}, introduce() {} };
