/** Sending to other servers. */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { Destination } from './destination.ts';
import { Sender } from './sender.ts';
import type { SenderDependencies } from './sender-dependencies.ts';

export interface FederationSender {
  /** Begins to follow the stream, where the process before this one ended. To be called once. */
  start(): Promise<void>;
  /** The server can be reached again, it seems: it has just made a request. */
  heardFrom(server: ServerName): void;
  /** Of these servers it was not known that they are in the room: they are sent what came since a position. */
  missed(serverNids: readonly number[], room: number, since: number): void;
  /** A person wants to know: it is tried at once. */
  retryNow(server: ServerName): void;
  /** Who may be reached has changed: of those that fail, they are tried at once. */
  retryWhere(mayReach: (server: ServerName) => boolean): void;
  /** Of those that the server is to be sent. */
  eventsInMemory(server: ServerName): number;
  /** Whether nothing is on its way or being looked up at this moment; what waits for a server that fails does not count. */
  isQuiet(): boolean;
  /** undefined: it was not to be sent anything since this process began. */
  find(server: ServerName): Destination | undefined;
  close(): Promise<void>;
}

/** Made once, by the composition root. */
export function createSender(deps: SenderDependencies): FederationSender {
  const sender = new Sender(deps);
  return {
    start: () => sender.start(),
    heardFrom: (server) => sender.find(server)?.tryNow(false),
    missed: (serverNids, room, since) => sender.missed(serverNids, room, since),
    retryNow: (server) => sender.find(server)?.tryNow(true),
    retryWhere: (mayReach) => sender.retryWhere(mayReach),
    eventsInMemory: (server) => sender.find(server)?.backlog.count ?? 0,
    isQuiet: () => sender.isQuiet(),
    find: (server) => sender.find(server),
    close: () => sender.close(),
  };
}
