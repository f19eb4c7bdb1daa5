/** Runs a server as a process: says where it is, reads its configuration again at SIGHUP, and ends it at SIGTERM or SIGINT. */
import { firstAdministratorLink } from './http/pages/start-page-accounts.ts';
import type { Config } from './platform/config/config.ts';
import { flushLogger } from './platform/log.ts';
import { onHangUp, stopOnSignal } from './platform/process-signals.ts';
import { releaseStartMemory } from './platform/start-memory.ts';
import { createServer } from './server.ts';

/** `readConfig` reads the configuration from where it comes from, also again. */
export async function runServer(readConfig: () => Config): Promise<void> {
  const config = readConfig();
  const server = await createServer(config, { readConfigAgain: readConfig });
  const { log } = server;
  // Why it was refused is in the log already.
  onHangUp(() => void server.configReload.reload().catch(() => undefined));
  releaseStartMemory();
  stopOnSignal(async (signal) => {
    log.info({ signal }, 'stopping');
    const steps = await server.close();
    const failed = steps.filter((step) => step.outcome !== 'done');
    for (const step of failed)
      log.error({ step: step.name, outcome: step.outcome, err: step.error }, 'did not end well');
    await flushLogger(log);
    return failed.length === 0 ? 0 : 1;
  });
  for (const { bind, port, isTls, serve } of server.addresses)
    log.info(
      { serve },
      `listening on ${isTls ? 'https' : 'http'}://${bind.includes(':') ? `[${bind}]` : bind}:${port}`,
    );
  log.info(`${config.serverName} is ready, clients connect to ${config.publicBaseUrl}`);
  const token = await server.accounts.mintFirstAdministratorToken();
  // Printed and not logged: it is a secret, and it is for whoever sits at the terminal.
  if (token !== undefined)
    process.stdout.write(
      `\nThis server has no administrator yet. Make one here (the link works once):\n  ${firstAdministratorLink(config.publicBaseUrl, token)}\n\n`,
    );
}
