/** Documents that people accept when they register. https://spec.matrix.org/v1.19/client-server-api/#terms-of-service-at-registration */
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { insertConsent } from '../storage/stores/consent-store.ts';
import type { AccountsContext } from './context.ts';

type Configured = Pick<AccountsContext, 'config'>;

/** Below the address of the server; behind it come document, version and language. */
export const termsPath = '/_matrix/client/unstable/veche/terms';

export const hasTerms = ({ config }: Configured): boolean => config.registration.terms.length > 0;

/** What clients are told for the stage m.login.terms. */
export function termsParameters({ config }: Configured): JsonObject {
  const policies: [string, JsonObject][] = config.registration.terms.map(({ id, version, languages }) => {
    const translations = Object.entries(languages).map(([language, { name, url }]): [string, JsonObject] => [
      language,
      { name, url: url ?? `${config.publicBaseUrl}${termsPath}/${id}/${version}/${language}` },
    ]);
    return [id, { version, ...Object.fromEntries(translations) }];
  });
  return { policies: Object.fromEntries(policies) };
}

/** Part of the unit that makes the account: which versions were accepted. */
export function writeConsent(unit: UnitBuilder, { config }: Configured, user: number, ts: number): void {
  for (const { id: document, version } of config.registration.terms)
    unit.run(insertConsent, { user, document, version, ts });
}
