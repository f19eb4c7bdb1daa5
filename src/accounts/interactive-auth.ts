/**
 * User-interactive authentication: a request is answered 401 with the stages that must be completed, and is repeated until
 * they are. https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 *
 * A session belongs to one operation and one requester, and from its first completed stage on to the request's parameters:
 * what was authorised cannot be exchanged for something else. Sessions are in memory, bounded in number and time; after a
 * restart a client begins anew.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { forbidden, MatrixError } from '../matrix/errors.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Clock, Random } from '../platform/ports.ts';
import type { EmailPurpose } from '../storage/stores/email-session-store.ts';
import type { ConfirmedEmail } from './email/email-sessions.ts';
import type { Requester } from './requester.ts';
import { stableText } from './stable-text.ts';

export type StageType =
  'm.login.dummy' | 'm.login.password' | 'm.login.registration_token' | 'm.login.email.identity' | 'm.login.terms';

/** What the completed stages have shown. */
export interface Proof {
  /** Whose password was given. */
  readonly userNid?: number;
  /** The hash that it fitted: what it allows is done only while that is still the account's. */
  readonly passwordHash?: string;
  /** A registration token with a use left, reserved until it is used or released. */
  readonly registrationToken?: TokenReservation;
  /** A confirmed e-mail address; it is used up with what it allows. */
  readonly email?: ConfirmedEmail;
}
export interface TokenReservation {
  readonly token: string;
  release(): void;
}

/** Throws StageFailed to let the client try again in the same session; other errors answer the request. */
export type Stage = (auth: JsonObject, operation: WantedOperation) => Promise<Proof>;

export interface Operation {
  /** A session serves one operation; the operationId is a good name. */
  readonly name: string;
  /** What the request asks for, without `auth`. */
  readonly parameters: JsonValue;
  readonly requester: Pick<Requester, 'userNid' | 'userId'> | undefined;
  /** The stages of each flow, in order. */
  readonly flows: readonly (readonly StageType[])[];
  /** What the client must be told for a stage. */
  readonly stageParameters?: Readonly<Partial<Record<StageType, JsonObject>>>;
  /** What e-mail addresses must have been confirmed for. */
  readonly emailPurpose?: EmailPurpose;
  /** The session ends with its success: for what must be asked for each time. Otherwise a repetition of the request succeeds again. */
  readonly isSingleUse?: boolean;
}

/** What is known of a request while it is authorised; its parameters are not kept, they hold passwords. */
export type WantedOperation = Omit<Operation, 'parameters'>;

/** A stage that is to be passed in a browser. */
export interface OpenStage {
  readonly type: StageType;
  readonly operation: WantedOperation;
  /** What was done before: somebody who comes back sees that, too. */
  readonly isPassed: boolean;
}

/** A stage that was not passed but may be tried again. */
export class StageFailed extends Error {
  override readonly name = 'StageFailed';
  readonly errcode: string;

  constructor(errcode: string, message: string) {
    super(message);
    this.errcode = errcode;
  }
}

/** 401 with what is still to do. The first one of a session is no error and has no errcode. */
export class InteractiveAuthRequired extends MatrixError {
  readonly #isError: boolean;

  constructor(challenge: JsonObject, failure: StageFailed | undefined) {
    super(401, failure?.errcode ?? 'M_UNAUTHORIZED', failure?.message ?? 'Authentication is needed', challenge);
    this.#isError = failure !== undefined;
  }

  override body(): JsonObject {
    return this.#isError ? super.body() : this.extra;
  }
}

interface Session {
  readonly id: string;
  readonly operation: WantedOperation;
  readonly expiresMs: number;
  readonly completed: StageType[];
  proof: Proof;
  /** Of the parameters; set with the first completed stage, or when that was passed in a browser, with the request after it. */
  boundTo: Buffer | undefined;
  /** What the operation made, so that a repeated request gets it instead of an error. */
  outcome: JsonValue | undefined;
}

/** A request that is authorised. */
export interface Authorised extends Proof {
  /** What an earlier success of the same request remembered; undefined: this is the first. */
  readonly outcome: JsonValue | undefined;
  /** To be called after success. */
  succeeded(outcome?: JsonValue): void;
  /** To be called when the operation failed for a reason that repeating the request does not help. */
  abandoned(): void;
}

export class InteractiveAuth {
  readonly #stages: Readonly<Partial<Record<StageType, Stage>>>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #random: Pick<Random, 'bytes'>;
  readonly #sessions = new Lru<string, Session>({
    sizeMax: limits.interactiveSessionsMax,
    onEvicted: (_id, session) => session.proof.registrationToken?.release(),
  });
  /** Parameters hold passwords, so not even their hashes can be looked up in tables. */
  readonly #bindingKey: Buffer;

  constructor(
    stages: Readonly<Partial<Record<StageType, Stage>>>,
    clock: Pick<Clock, 'monotonicMs'>,
    random: Pick<Random, 'bytes'>,
  ) {
    this.#stages = stages;
    this.#clock = clock;
    this.#random = random;
    this.#bindingKey = random.bytes(32);
  }

  /**
   * Resolves when the request is authorised. Throws InteractiveAuthRequired (401) while stages are missing, 403 M_FORBIDDEN
   * when the session is another request's, and what a stage throws.
   */
  async authorise(operation: Operation, auth: JsonObject | undefined): Promise<Authorised> {
    const type = auth?.['type'];
    const id = auth?.['session'];
    if (auth === undefined || (type === undefined && id === undefined)) throw this.#challenge(operation, undefined);
    const session = typeof id === 'string' ? this.#find(id) : this.#begin(operation);
    if (session === undefined)
      throw this.#challenge(
        operation,
        undefined,
        new StageFailed('M_UNKNOWN', 'The session is unknown or has expired'),
      );
    const binding = this.#bindingOf(operation);
    assertSameRequest(session, operation, binding);
    if (session.completed.length > 0) session.boundTo ??= binding;
    if (isComplete(session, operation)) return this.#authorised(session, operation);
    if (type === undefined || session.completed.some((stage) => stage === type))
      throw this.#challenge(operation, session);
    await this.#attempt(session, operation, auth, binding);
    if (isComplete(session, operation)) return this.#authorised(session, operation);
    throw this.#challenge(operation, session);
  }

  /**
   * Ends the session of a request that can never succeed, and gives back what it reserved. A session that is not yet bound to
   * this request stays: it may be another's.
   */
  abandon(operation: Operation, auth: JsonObject | undefined): void {
    const id = auth?.['session'];
    const session = typeof id === 'string' ? this.#find(id) : undefined;
    if (session?.boundTo === undefined || !isSameRequest(session, operation, this.#bindingOf(operation))) return;
    this.#authorised(session, operation).abandoned();
  }

  /** The result that an earlier, successful request with this session had; for checks that must come before all others. */
  findOutcome(operation: Operation, auth: JsonObject | undefined): JsonValue | undefined {
    const id = auth?.['session'];
    const session = typeof id === 'string' ? this.#find(id) : undefined;
    if (session?.outcome === undefined) return undefined;
    assertSameRequest(session, operation, this.#bindingOf(operation));
    return session.outcome;
  }

  async #attempt(session: Session, operation: Operation, auth: JsonObject, binding: Buffer): Promise<void> {
    const stage = nextStages(session, operation).find((next) => next === auth['type']);
    const attempt = stage === undefined ? undefined : this.#stages[stage];
    if (stage === undefined || attempt === undefined)
      throw this.#challenge(operation, session, new StageFailed('M_FORBIDDEN', 'This stage is not what comes next'));
    try {
      await pass(session, stage, () => attempt(auth, operation));
    } catch (error) {
      throw error instanceof StageFailed ? this.#challenge(operation, session, error) : error;
    }
    session.boundTo ??= binding;
  }

  /** The stage of a session that comes next, or was passed already; undefined: there is no such session or stage. */
  findStage(sessionId: string, type: string): OpenStage | undefined {
    const session = this.#find(sessionId);
    if (session === undefined) return undefined;
    const { operation, completed } = session;
    const passed = completed.find((stage) => stage === type);
    const stage = passed ?? nextStages(session, operation).find((next) => next === type);
    return stage && { type: stage, operation, isPassed: passed !== undefined };
  }

  /**
   * Passes a stage apart from the request that needs it, as in a browser: the request is then repeated with the session
   * alone. False: there is no such session or stage. Throws StageFailed and what else the stage throws.
   * https://spec.matrix.org/v1.19/client-server-api/#fallback
   */
  async passStage(sessionId: string, type: string, auth: JsonObject): Promise<boolean> {
    const session = this.#find(sessionId);
    const found = this.findStage(sessionId, type);
    if (session === undefined || found === undefined) return false;
    const attempt = this.#stages[found.type];
    if (found.isPassed) return true;
    if (attempt === undefined) return false;
    await pass(session, found.type, () => attempt(auth, session.operation));
    return true;
  }

  #authorised(session: Session, operation: Operation): Authorised {
    const forget = (): void => {
      this.#sessions.delete(session.id);
      session.proof.registrationToken?.release();
    };
    return {
      ...session.proof,
      outcome: session.outcome,
      succeeded: (outcome) => {
        session.proof.registrationToken?.release();
        if (operation.isSingleUse === true) return forget();
        if (outcome !== undefined) session.outcome = outcome;
      },
      abandoned: forget,
    };
  }

  #challenge(operation: Operation, session: Session | undefined, failure?: StageFailed): InteractiveAuthRequired {
    const kept = session ?? this.#begin(operation);
    if (!this.#sessions.has(kept.id)) this.#sessions.set(kept.id, kept);
    const challenge = {
      flows: operation.flows.map((stages) => ({ stages })),
      params: { ...operation.stageParameters },
      session: kept.id,
      ...(kept.completed.length === 0 ? {} : { completed: [...kept.completed] }),
    };
    return new InteractiveAuthRequired(challenge, failure);
  }

  /** Not kept yet: most requests complete their only stage at once. */
  #begin({ parameters: _parameters, ...operation }: Operation): Session {
    return {
      id: this.#random.bytes(18).toString('base64url'),
      operation,
      expiresMs: this.#clock.monotonicMs() + limits.interactiveSessionMs,
      completed: [],
      proof: {},
      boundTo: undefined,
      outcome: undefined,
    };
  }

  #find(id: string): Session | undefined {
    const session = this.#sessions.find(id);
    if (session === undefined || session.expiresMs > this.#clock.monotonicMs()) return session;
    this.#sessions.delete(id);
    session.proof.registrationToken?.release();
    return undefined;
  }

  #bindingOf(operation: Operation): Buffer {
    return createHmac('sha256', this.#bindingKey).update(stableText(operation.parameters)).digest();
  }
}

function assertSameRequest(session: Session, operation: Operation, binding: Buffer): void {
  if (!isSameRequest(session, operation, binding)) throw forbidden('The session was begun for another request');
}

const isSameRequest = (session: Session, operation: Operation, binding: Buffer): boolean =>
  session.operation.name === operation.name &&
  session.operation.requester?.userNid === operation.requester?.userNid &&
  (session.boundTo === undefined || timingSafeEqual(session.boundTo, binding));

async function pass(session: Session, stage: StageType, attempt: () => Promise<Proof>): Promise<void> {
  const proof = await attempt();
  // Another request of the same session may have been faster.
  if (session.completed.includes(stage)) return proof.registrationToken?.release();
  session.completed.push(stage);
  session.proof = { ...session.proof, ...proof };
}

function isComplete(session: Session, operation: Operation): boolean {
  return operation.flows.some(
    (flow) => beginsWith(flow, session.completed) && flow.length === session.completed.length,
  );
}

/** Stages must be completed in the order of a flow. */
function nextStages(session: Session, operation: Pick<Operation, 'flows'>): readonly StageType[] {
  const done = session.completed.length;
  return operation.flows.flatMap((flow) => {
    const next = flow[done];
    return next !== undefined && beginsWith(flow, session.completed) ? [next] : [];
  });
}

const beginsWith = (flow: readonly StageType[], completed: readonly StageType[]): boolean =>
  completed.every((stage, index) => flow[index] === stage);
