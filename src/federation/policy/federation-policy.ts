import { forbidden } from '../../matrix/errors.ts';
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import type { Counter, Metrics } from '../../platform/metrics.ts';
import { FederationError } from '../federation-error.ts';
import type { FederationRights } from '../../rooms/ports.ts';
import { ServerPatterns } from './server-patterns.ts';
import { UserRights, type UserRightsSettings } from './user-rights.ts';

export interface FederationPolicySettings extends Partial<UserRightsSettings> {
  readonly enabled: boolean;
  /** Patterns; undefined: all servers. */
  readonly allow: DirectedPatterns | undefined;
  readonly deny: DirectedPatterns;
}
/** By direction: requests that other servers make to us, requests that we make to them, both. */
export interface DirectedPatterns {
  readonly both: readonly string[];
  readonly incoming: readonly string[];
  readonly outgoing: readonly string[];
}

type Direction = 'incoming' | 'outgoing';
type Reason =
  'user_not_allowed' | 'room_not_federated' | 'federation_off' | 'denied' | 'not_allowed' | 'not_listed' | 'no_list';

/** A list of servers that somebody else makes. */
export interface FollowedList {
  /** Patterns; undefined: there is none that counts, so that nobody is on it. */
  readonly servers: readonly string[] | undefined;
  /** Patterns of servers that count as if they were on it. */
  readonly beside: readonly string[];
}

/** With which servers this one talks, in which direction, and for whom. Each refusal is counted. */
export class FederationPolicy implements FederationRights {
  readonly #refusals: Counter<'direction' | 'reason'>;
  readonly #listeners = new Set<() => void>();
  readonly #onUnlisted: () => void;
  #rules: Readonly<Record<Direction, DirectionRules>>;
  #list: ListRules | undefined;
  #rights: UserRights;

  /** `onUnlisted`: told of each refusal of a server that is not on the list. */
  constructor(settings: FederationPolicySettings, metrics: Metrics, onUnlisted: () => void = () => undefined) {
    this.#onUnlisted = onUnlisted;
    this.#rules = rulesOf(settings);
    this.#rights = rightsOf(settings);
    this.#refusals = metrics.counter(
      'veche_federation_refusals_total',
      "Requests of and to other servers that this server's policy refused.",
      ['direction', 'reason'],
    );
  }

  /** From now on these count. */
  replace(settings: FederationPolicySettings): void {
    this.#rules = rulesOf(settings);
    this.#rights = rightsOf(settings);
    this.#changed();
  }

  /** From now on only servers on this list are talked to, as far as the rest allows it. undefined: there is no such list. */
  follow(list: FollowedList | undefined): void {
    this.#list = list && new ListRules(list);
    this.#changed();
  }

  /** `listener` is told when other rules count. Returns how to stop. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get isRestricted(): boolean {
    return this.#rights.isRestricted;
  }

  mayFederate(userId: UserId): boolean {
    return this.#rights.mayFederate(userId);
  }

  assertMayFederate(userId: UserId, direction: Direction): void {
    if (this.#rights.mayFederate(userId)) return;
    this.#refused(direction, 'user_not_allowed');
    throw forbidden(sentences.user_not_allowed);
  }

  refuseRoom(direction: Direction, reason: 'room_not_federated' | 'user_not_allowed'): never {
    this.#refused(direction, reason);
    throw forbidden(
      reason === 'room_not_federated'
        ? sentences.room_not_federated
        : 'Somebody in this room may not have to do with users of other servers',
    );
  }

  /** Throws MatrixError 403 M_FORBIDDEN where requests of the server are not answered. */
  assertMayReceiveFrom(server: ServerName): void {
    const reason = this.#reasonAgainst(server, 'incoming');
    if (reason === undefined) return;
    this.#refused('incoming', reason);
    throw forbidden(sentences[reason]);
  }

  /** Throws FederationError 'refused' where the server is not asked anything. */
  assertMaySendTo(server: ServerName): void {
    const reason = this.#reasonAgainst(server, 'outgoing');
    if (reason === undefined) return;
    this.#refused('outgoing', reason);
    throw new FederationError(server, 'refused', sentences[reason]);
  }

  /** Whether `assertMaySendTo` would pass; nothing is counted. */
  maySendTo(server: ServerName): boolean {
    return this.#reasonAgainst(server, 'outgoing') === undefined;
  }
  /** Whether `assertMayReceiveFrom` would pass; nothing is counted. */
  mayReceiveFrom(server: ServerName): boolean {
    return this.#reasonAgainst(server, 'incoming') === undefined;
  }

  #reasonAgainst(server: ServerName, direction: Direction): Reason | undefined {
    return this.#rules[direction].reasonAgainst(server) ?? this.#list?.reasonAgainst(server);
  }

  #refused(direction: Direction, reason: Reason): void {
    this.#refusals.add({ direction, reason });
    if (reason === 'not_listed' || reason === 'no_list') this.#onUnlisted();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const sentences: Readonly<Record<Reason, string>> = {
  user_not_allowed: 'This user may not have to do with users and rooms of other servers',
  room_not_federated: 'The room is for users of its own server only',
  federation_off: 'This server does not talk to other servers',
  denied: 'This server does not talk to that server',
  not_allowed: 'This server only talks to servers that its administrators have named',
  not_listed: 'That server is not on the federation list that this server follows',
  no_list: 'This server follows a federation list and has none that is valid',
};

class ListRules {
  readonly #servers: ServerPatterns | undefined;
  readonly #beside: ServerPatterns;

  constructor({ servers, beside }: FollowedList) {
    this.#servers = servers && new ServerPatterns(servers);
    this.#beside = new ServerPatterns(beside);
  }

  reasonAgainst(server: ServerName): Reason | undefined {
    if (this.#beside.matches(server) || this.#servers?.matches(server) === true) return undefined;
    return this.#servers === undefined ? 'no_list' : 'not_listed';
  }
}

/** What counts in one direction. What is denied is denied, also where it is allowed. */
class DirectionRules {
  readonly #isOff: boolean;
  readonly #allowed: ServerPatterns | undefined;
  readonly #denied: ServerPatterns;

  constructor({ enabled, allow, deny }: FederationPolicySettings, direction: Direction) {
    this.#isOff = !enabled;
    this.#allowed = allow && new ServerPatterns([...allow.both, ...allow[direction]]);
    this.#denied = new ServerPatterns([...deny.both, ...deny[direction]]);
  }

  reasonAgainst(server: ServerName): Reason | undefined {
    if (this.#isOff) return 'federation_off';
    if (this.#denied.matches(server)) return 'denied';
    return this.#allowed === undefined || this.#allowed.matches(server) ? undefined : 'not_allowed';
  }
}

const rightsOf = ({ groups = {}, users = { allow: undefined, deny: [] } }: FederationPolicySettings): UserRights =>
  new UserRights({ groups, users });

const rulesOf = (settings: FederationPolicySettings): Readonly<Record<Direction, DirectionRules>> => ({
  incoming: new DirectionRules(settings, 'incoming'),
  outgoing: new DirectionRules(settings, 'outgoing'),
});
