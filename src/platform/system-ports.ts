import { systemClock } from './clock.ts';
import { systemDns } from './dns.ts';
import { type OutgoingPolicies, systemOutgoingHttp } from './outgoing-http.ts';
import { systemSockets } from './outgoing-sockets.ts';
import type { Dns, Ports } from './ports.ts';
import { systemRandom } from './random.ts';
import { noMailTransport, type SmtpSettings, smtpTransport } from './smtp.ts';
import { systemTimers } from './timers.ts';
import { processWorkers } from './worker-processes.ts';
import { threadWorkers } from './workers.ts';

export interface SystemPorts extends Ports {
  /** Closes kept connections; the ports are not used afterwards. */
  close(): void;
}

/** The real world: `createServer` uses these unless it is given others. */
export function systemPorts(options: {
  readonly outgoing: OutgoingPolicies;
  /** Absent: no mail server. */
  readonly smtp?: SmtpSettings | undefined;
  /** Absent: the system's. */
  readonly dns?: Dns;
}): SystemPorts {
  const dns = options.dns ?? systemDns();
  const smtp = options.smtp && smtpTransport(options.smtp);
  const http = systemOutgoingHttp(options.outgoing, { dns, timers: systemTimers });
  return {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    dns,
    http,
    mail: smtp ?? noMailTransport,
    sockets: systemSockets,
    workers: threadWorkers,
    processes: processWorkers,
    close() {
      http.close();
      smtp?.close();
    },
  };
}
