import type { Letter } from '../../mail/letter.ts';
import { type Language, translator } from '../../platform/messages/catalogue.ts';

/** With the link by which an account is renewed. */
export function renewalLetter(about: {
  readonly language: Language;
  readonly serverName: string;
  readonly link: string;
  readonly userId: string;
  readonly expiresTs: number;
}): Letter {
  const { language, serverName, link, userId, expiresTs } = about;
  const say = translator(language);
  const day = new Date(expiresTs).toISOString().slice(0, 10);
  return {
    language,
    subject: say('renew.subject', { serverName }),
    parts: [
      { kind: 'text', text: say('renew.text', { userId, serverName, day }) },
      { kind: 'link', label: say('renew.submit'), url: link },
    ],
  };
}
