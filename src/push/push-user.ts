import type { UserId } from '../matrix/ids/ids.ts';
import type { Queue } from './queue.ts';

/** A user who has pushers. */
export interface PushUser {
  readonly userNid: number;
  readonly userId: UserId;
  /** By the pusher's id. */
  readonly queues: Map<number, Queue>;
  /** Where they are joined, and since which position. */
  readonly rooms: Map<number, number>;
}
