import { rootCertificates } from 'node:tls';
import type { createTransport } from 'nodemailer';
import { limits } from './limits.ts';
import { MailError, type MailFailure } from './mail-error.ts';
import type { MailTransport, OutgoingMail } from './ports.ts';
import type { Secret } from './secret.ts';

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** starttls: demanded after the greeting; tls: from the first byte; none: readable on the way. */
  readonly security: 'starttls' | 'tls' | 'none';
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  /** PEM texts, trusted beside the well-known authorities. */
  readonly caCertificates: readonly string[];
}

/**
 * Hands messages to a mail server, over few connections that are kept. It holds no message after the answer: whoever sends
 * decides whether to try again.
 */
export function smtpTransport(settings: SmtpSettings): MailTransport & { close(): void } {
  let opened: Promise<Transport> | undefined;
  return {
    async send(mail) {
      try {
        const transport = await (opened ??= openTransport(settings));
        await transport.sendMail(messageOf(mail));
      } catch (error) {
        throw new MailError(failureOf(error), error instanceof Error ? error.message : String(error), { cause: error });
      }
    },
    close: () => {
      // One that could not be opened has nothing to close, and whoever sent was told.
      void opened?.then(
        (transport) => transport.close(),
        () => {},
      );
    },
  };
}

/** Loaded with the first message: many servers send none. */
async function openTransport(settings: SmtpSettings) {
  const { createTransport: create } = await import('nodemailer');
  const { user, password } = settings;
  return create({
    pool: true,
    maxConnections: limits.mailConnectionsMax,
    host: settings.host,
    port: settings.port,
    secure: settings.security === 'tls',
    requireTLS: settings.security === 'starttls',
    ignoreTLS: settings.security === 'none',
    tls: { ca: [...rootCertificates, ...settings.caCertificates], minVersion: 'TLSv1.2' },
    connectionTimeout: limits.mailConnectionMs,
    greetingTimeout: limits.mailConnectionMs,
    socketTimeout: limits.mailIdleMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === undefined ? {} : { auth: { user, pass: password?.reveal() ?? '' } }),
  });
}
type Transport = Awaited<ReturnType<typeof openTransport>>;

/** Where no mail server is configured. */
export const noMailTransport: MailTransport = {
  send: () => Promise.reject(new MailError('not_configured', 'no mail server is configured')),
};

function messageOf(mail: OutgoingMail): Parameters<ReturnType<typeof createTransport>['sendMail']>[0] {
  const { from, to, subject, text, html, headers } = mail;
  return {
    from,
    // As an object, because a text could be read as several addresses.
    to: { name: '', address: to },
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    // So that no program answers by itself. https://www.rfc-editor.org/rfc/rfc3834#section-5
    headers: { 'Auto-Submitted': 'auto-generated', ...headers },
  };
}

function failureOf(error: unknown): MailFailure {
  if (!(error instanceof Error)) return 'unreachable';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const responseCode = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : 0;
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'login';
  if (code === 'ETLS' || /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) return 'tls';
  if (/certificate/i.test(error.message)) return 'tls';
  if (responseCode >= 500) return 'refused';
  return responseCode >= 400 ? 'later' : 'unreachable';
}
