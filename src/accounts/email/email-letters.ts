/** What the messages about addresses and passwords say. */
import type { Letter } from '../../mail/letter.ts';
import { limits } from '../../platform/limits.ts';
import { type Language, translator } from '../../platform/messages/catalogue.ts';
import type { EmailPurpose } from '../../storage/stores/email-session-store.ts';

/** With the link by which the mailbox's owner confirms. `userId`: whose password it is about. */
export function confirmationLetter(about: {
  readonly purpose: EmailPurpose;
  readonly language: Language;
  readonly serverName: string;
  readonly link: string;
  readonly code: string;
  readonly userId: string | undefined;
}): Letter {
  const { purpose, language, serverName, link, code, userId = '' } = about;
  const say = translator(language);
  const intro = {
    register: () => say('mail.register', { serverName }),
    add: () => say('mail.add', { serverName }),
    reset: () => say('mail.reset', { serverName, userId }),
  };
  return {
    language,
    subject: purpose === 'reset' ? say('mail.resetSubject', { serverName }) : say('mail.subject', { serverName }),
    parts: [
      { kind: 'text', text: intro[purpose]() },
      { kind: 'link', label: say('mail.confirm'), url: link },
      { kind: 'text', text: say('mail.code') },
      { kind: 'code', text: code },
      { kind: 'note', text: say('mail.expiry', { hours: Math.floor(limits.emailSessionMs / 3_600_000) }) },
      { kind: 'note', text: say('mail.notYou') },
    ],
  };
}

/** Why nothing can be confirmed, told to nobody but the mailbox's owner. `userId`: whose address it is already. */
export function explainingLetter(about: {
  readonly purpose: EmailPurpose;
  readonly language: Language;
  readonly serverName: string;
  readonly userId: string | undefined;
}): Letter {
  const { purpose, language, serverName, userId = '' } = about;
  const say = translator(language);
  const explanation = {
    register: () => say('mail.registered', { serverName, userId }),
    add: () => say('mail.added', { serverName, userId }),
    reset: () => say('mail.unknown', { serverName }),
  };
  return {
    language,
    subject: purpose === 'reset' ? say('mail.resetSubject', { serverName }) : say('mail.subject', { serverName }),
    parts: [
      { kind: 'text', text: explanation[purpose]() },
      { kind: 'note', text: say('mail.notYou') },
    ],
  };
}
