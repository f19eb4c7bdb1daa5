/** Sends e-mail to people, within what the operator allows. Texts are the callers'. */
import { canonicalEmail, isMailAddress } from '../matrix/ids/email.ts';
import { compileGlob, type Glob } from '../matrix/glob/glob.ts';
import type { Config } from '../platform/config/config.ts';
import { limits } from '../platform/limits.ts';
import { MailError } from '../platform/mail-error.ts';
import type { Language } from '../platform/messages/catalogue.ts';
import type { MailTransport } from '../platform/ports.ts';
import { Semaphore } from '../platform/semaphore.ts';
import { type Letter, letterHtml, letterText } from './letter.ts';

export class Mailer {
  readonly #config: Config['email'];
  readonly #transport: MailTransport;
  readonly #allowed: readonly Glob[];
  readonly #denied: readonly Glob[];
  readonly #semaphore = new Semaphore(limits.mailsAtOnceMax, limits.mailsWaitingMax);

  constructor(config: Config['email'], transport: MailTransport) {
    this.#config = config;
    this.#transport = transport;
    this.#allowed = config.allowedAddresses.map(matcher);
    this.#denied = config.deniedAddresses.map(matcher);
  }

  /** Whether there is a mail server at all. */
  get isConfigured(): boolean {
    return this.#config.smtp.host !== undefined && this.#config.from !== undefined;
  }

  /** For people whose language is not known. */
  get language(): Language {
    return this.#config.language;
  }

  /** Whether the configuration lets this address be written to, and belong to an account. */
  accepts(address: string): boolean {
    const canonical = canonicalEmail(address);
    if (canonical === undefined || !isMailAddress(canonical)) return false;
    if (this.#denied.some((glob) => glob.matches(canonical))) return false;
    return this.#allowed.length === 0 || this.#allowed.some((glob) => glob.matches(canonical));
  }

  /**
   * Resolves when the mail server has taken the message. Rejects with MailError, `refused` for an address that is not
   * accepted, and with SemaphoreFull when too many messages wait. `headers`: such as List-Unsubscribe.
   */
  async send(to: string, letter: Letter, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const { from } = this.#config;
    if (!this.isConfigured || from === undefined) throw new MailError('not_configured', 'no mail server is configured');
    if (!this.accepts(to)) throw new MailError('refused', 'the configuration allows no e-mail to this address');
    const mail = { from, to, subject: letter.subject, text: letterText(letter), html: letterHtml(letter), headers };
    await this.#semaphore.run(() => this.#transport.send(mail));
  }
}

function matcher(pattern: string): Glob {
  return compileGlob(canonicalEmail(pattern) ?? pattern);
}
