import { AsyncLocalStorage } from 'node:async_hooks';
import { destination, type DestinationStream, type Logger as PinoLogger, pino, stdSerializers } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Config } from './config/config.ts';
import type { Clock } from './ports.ts';
import { withoutSecrets } from './without-secrets.ts';

export type Logger = PinoLogger;

const requestIds = new AsyncLocalStorage<string>();

/** Everything that `run` logs, also later and by others that it calls, carries this id as `requestId`. */
export function withRequestId<T>(requestId: string, run: () => T): T {
  return requestIds.run(requestId, run);
}

/**
 * The log on standard output: JSON lines, or lines for people on a terminal. Written behind the scenes, so that a slow reader does not stop the
 * server; at the end of the process what is left is written. Secrets are taken out of each line (without-secrets.ts), wherever they stand.
 */
export function createLogger(
  config: Config['log'],
  parts: { readonly clock: Clock; readonly destination?: DestinationStream },
): Logger {
  return pino(
    {
      level: config.level,
      base: null,
      timestamp: () => `,"time":${parts.clock.nowMs()}`,
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      mixin: () => {
        const requestId = requestIds.getStore();
        return requestId === undefined ? {} : { requestId };
      },
      hooks: { streamWrite: withoutSecrets },
    },
    parts.destination ?? standardOutput(config.format),
  );
}

/** Resolves when everything logged so far is written. */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    logger.flush((error) => (error instanceof Error ? reject(error) : resolve()));
  });
}

function standardOutput(format: Config['log']['format']): DestinationStream {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  if (!isPretty) return destination({ fd: 1, sync: false });
  return PinoPretty({
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    destination: 1,
    sync: true,
  });
}
