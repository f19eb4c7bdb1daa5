import type { Reply } from '../endpoint.ts';

export interface HealthDomain {
  readonly health: {
    /** Names what keeps the server from answering, in one word such as "database"; undefined when nothing does. */
    findProblem(): Promise<string | undefined>;
  };
}

/** 200 when requests can be answered, 503 otherwise, which takes the server out of a balancer's rotation. */
export async function readiness({ health }: HealthDomain): Promise<Reply> {
  const problem = await health.findProblem();
  return problem === undefined ? { json: { status: 'ok' } } : { status: 503, json: { status: 'unavailable', problem } };
}
