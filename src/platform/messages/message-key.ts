import type { english } from './english.ts';

export type MessageKey = keyof typeof english;
/** What every language has. */
export type Catalogue = Readonly<Record<MessageKey, string>>;
