/** What the benches hand back, and how it is judged. */

export interface Measurement {
  readonly scenario: string;
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  /** A CPU figure as it would be where the reference takes `referenceSignUs`; see reference.ts. */
  readonly normalised?: number | undefined;
  /** The most that is wanted. The normalised figure is held against it where there is one. */
  readonly atMost?: number | undefined;
}

/** How much of everything: `full` is what is quoted, `tiny` only shows that it works. */
export interface Sizes {
  /** Local members of rooms that are compared, smallest first. */
  readonly members: readonly number[];
  /** Members of rooms whose state is compared. */
  readonly stateMembers: readonly number[];
  /** Rooms of users whose syncs are compared. */
  readonly roomsOfUser: readonly number[];
  /** State events in each of these rooms. */
  readonly stateChanges: number;
  /** In each room that is compared. */
  readonly messages: number;
  readonly lookUps: number;
  readonly senders: number;
  readonly sendWarmUp: number;
  readonly sends: number;
  readonly parked: readonly number[];
  readonly deliveries: number;
  readonly idleRooms: number;
  /** That are searched. */
  readonly searchMessages: number;
  /** Devices with keys, of a user each. */
  readonly keyUsers: number;
  readonly keyRefills: number;
  readonly keyQueries: number;
  /** That thumbnails are made of. */
  readonly thumbnailPhotos: number;
  /** In pixels. */
  readonly photoWidth: number;
  /** Of the file that goes up and down. */
  readonly mediaBytes: number;
  readonly mediaRounds: number;
  /** At the same time. */
  readonly mediaDownloads: number;
  /** Rooms of one user, members of each, and syncs of each kind. */
  readonly firstSync: { readonly rooms: number; readonly members: number; readonly syncs: number };
  /** Members of rooms whose events another server sends, and transactions of 50 for each. */
  readonly remoteMembers: readonly number[];
  readonly transactions: number;
  /** Members of rooms that users of another server join, and how often each is joined to be measured. */
  readonly joinedMembers: readonly number[];
  readonly joinRounds: number;
  readonly settleMs: number;
}

export const sizes: Readonly<Record<'full' | 'tiny', Sizes>> = {
  full: {
    members: [10, 1_000, 10_000],
    stateMembers: [100, 10_000, 100_000],
    roomsOfUser: [10, 1_000],
    stateChanges: 1_000,
    messages: 1_000,
    lookUps: 2_000,
    senders: 16,
    sendWarmUp: 15_000,
    sends: 20_000,
    parked: [50, 500],
    deliveries: 30_000,
    idleRooms: 1_000,
    searchMessages: 100_000,
    keyUsers: 500,
    keyRefills: 5,
    keyQueries: 300,
    thumbnailPhotos: 60,
    photoWidth: 4_000,
    mediaBytes: 1_073_741_824,
    mediaRounds: 3,
    mediaDownloads: 200,
    firstSync: { rooms: 200, members: 500, syncs: 10 },
    remoteMembers: [10, 1_000],
    transactions: 120,
    joinedMembers: [500],
    joinRounds: 5,
    settleMs: 5_000,
  },
  tiny: {
    members: [2, 5],
    stateMembers: [2, 5],
    roomsOfUser: [1, 3],
    stateChanges: 40,
    messages: 20,
    lookUps: 5,
    senders: 2,
    sendWarmUp: 4,
    sends: 20,
    parked: [3],
    deliveries: 12,
    idleRooms: 3,
    searchMessages: 60,
    keyUsers: 4,
    keyRefills: 1,
    keyQueries: 2,
    thumbnailPhotos: 2,
    photoWidth: 1_000,
    mediaBytes: 3_000_000,
    mediaRounds: 1,
    mediaDownloads: 3,
    firstSync: { rooms: 2, members: 2, syncs: 2 },
    remoteMembers: [3, 6],
    transactions: 3,
    joinedMembers: [4],
    joinRounds: 1,
    settleMs: 0,
  },
};

/** What a scenario is given. */
export interface BenchContext {
  readonly sizes: Sizes;
  /** An empty PostgreSQL database for each call; absent: SQLite. */
  readonly postgres?: (() => Promise<string>) | undefined;
  /** Tells whoever waits what is being done. */
  say(text: string): void;
}

export type Scenario = (bench: BenchContext) => Promise<readonly Measurement[]>;

/** undefined: nothing is wanted. */
export function isMet({ value, normalised, atMost }: Measurement): boolean | undefined {
  return atMost === undefined ? undefined : (normalised ?? value) <= atMost;
}
