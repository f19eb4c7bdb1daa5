/** A real SMTP server on a free port of the loopback address, which keeps what it is given. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { callbackify } from 'node:util';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { afterEach, beforeEach, expect, vi } from 'vitest';

export interface ReceivedMail extends Email {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
}

export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Answers of the next messages, such as "450 busy"; each serves once. */
  readonly refusals: { code: number; message: string }[];
  /** The newest message to an address once there are `count` to it. */
  waitFor(address: string, count?: number): Promise<ReceivedMail>;
  close(): Promise<void>;
}

const folder = new URL('../fixtures/tls/', import.meta.url);
const tls = {
  key: readFileSync(new URL('localhost.key', folder)),
  cert: readFileSync(new URL('localhost.pem', folder)),
};
/** The authority that the server's certificate is from. */
export const mailServerCa = fileURLToPath(new URL('ca.pem', folder));

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const refusals: { code: number; message: string }[] = [];
  const receive = async (stream: Readable, session: SMTPServerSession): Promise<void> => {
    const bytes = await buffer(stream);
    const refusal = refusals.shift();
    if (refusal !== undefined) throw Object.assign(new Error(refusal.message), { responseCode: refusal.code });
    const { mailFrom, rcptTo } = session.envelope;
    const envelope = { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) };
    const email = await PostalMime.parse(bytes);
    mails.push({ ...email, envelope, isEncrypted: session.secure, user: session.user });
  };
  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    onData(stream, session, done) {
      callbackify(receive)(stream, session, done);
    },
    ...options,
  });
  // Clients that give up at the certificate are no concern of the server's.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    refusals,
    waitFor: (address, count = 1) =>
      vi.waitFor(
        () => {
          const found = mails.filter(({ envelope }) => envelope.to.includes(address));
          expect(found.length).toBeGreaterThanOrEqual(count);
          const last = found.at(-1);
          if (last === undefined) throw new Error('no message');
          return last;
        },
        { timeout: 30_000 },
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** One that runs during each test of the file or block, anew. */
export function useMailServer(options: SMTPServerOptions = {}): Omit<MailServer, 'close'> {
  let running: MailServer | undefined;
  beforeEach(async () => {
    running = await startMailServer(options);
  });
  afterEach(() => running?.close());
  const get = (): MailServer => {
    if (running === undefined) throw new Error('the mail server runs during tests only');
    return running;
  };
  return {
    get port() {
      return get().port;
    },
    get mails() {
      return get().mails;
    },
    get refusals() {
      return get().refusals;
    },
    waitFor: (address, count) => get().waitFor(address, count),
  };
}

/** The section `email` of a configuration that sends to this server. */
export const emailSectionFor = ({ port }: Pick<MailServer, 'port'>, more = ''): string =>
  `{ smtp: { host: 127.0.0.1, port: ${port}, security: none }, from: "Veche <matrix@test.example>"${more} }`;

/** The first link in a message. */
export function linkIn(mail: Pick<Email, 'text'>): URL {
  const link = /https?:\/\/\S+/.exec(mail.text ?? '')?.[0];
  if (link === undefined) throw new Error(`no link in: ${mail.text}`);
  return new URL(link);
}
