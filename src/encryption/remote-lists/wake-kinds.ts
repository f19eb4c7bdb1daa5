/** What is kept of the keys of users of other servers, for those who follow the stream. */

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** The keys of a user of another server changed, for those who share a room. */
    'remote-device-list': { readonly userNid: number; readonly pos: number };
    /** What is kept of their keys, or how good it is, changed. */
    'remote-keys-kept': { readonly userNids: readonly number[] };
  }
}
