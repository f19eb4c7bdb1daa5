import type { EventId } from '../matrix/ids/ids.ts';
import type { HistoryByTime, HistoryGap, RemoteHistory } from './ports.ts';

/** Of a server that talks to no others. */
export const noRemoteHistory: RemoteHistory = {
  fetchBefore: () => Promise.resolve(false),
  fetchByTime: () => Promise.resolve(undefined),
};

/** Stands for one that is made of rooms, and so after them. */
export class RemoteHistoryToCome implements RemoteHistory {
  #history = noRemoteHistory;

  isHere(history: RemoteHistory): void {
    this.#history = history;
  }

  fetchBefore(gap: HistoryGap): Promise<boolean> {
    return this.#history.fetchBefore(gap);
  }
  fetchByTime(question: HistoryByTime): Promise<EventId | undefined> {
    return this.#history.fetchByTime(question);
  }
}
