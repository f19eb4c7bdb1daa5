import { readFileSync } from 'node:fs';
import type { Config } from './config/config.ts';
import type { SmtpSettings } from './smtp.ts';

/** What the configuration says of the mail server; undefined: there is none. Reads the certificates of the authorities to trust. */
export function smtpSettings({ email: { smtp } }: Pick<Config, 'email'>): SmtpSettings | undefined {
  const { host, caCertificates } = smtp;
  if (host === undefined) return undefined;
  return { ...smtp, host, caCertificates: caCertificates.map((file) => readFileSync(file, 'utf8')) };
}
