import { readFile } from 'node:fs/promises';
import type { Config } from '../platform/config/config.ts';
import type { ListenerOptions } from './listeners.ts';

/** The listeners of the configuration, with their certificates and keys read. Throws Error naming the file that cannot be read. */
export async function readListenerOptions(listeners: Config['listeners']): Promise<ListenerOptions[]> {
  return await Promise.all(
    listeners.map(async ({ bind, port, serve, trustedProxies, tls }) => ({
      bind,
      port,
      serve,
      trustedProxies,
      tls: tls === undefined ? undefined : await readTls(tls),
    })),
  );
}

async function readTls(files: {
  readonly certificate: string;
  readonly privateKey: string;
}): Promise<NonNullable<ListenerOptions['tls']>> {
  const [certificate, privateKey] = await Promise.all([
    readNamed(files.certificate, 'certificate'),
    readNamed(files.privateKey, 'private key'),
  ]);
  return { certificate, privateKey };
}

async function readNamed(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`The ${what} of a listener, ${file}, cannot be read`, { cause: error });
  }
}
