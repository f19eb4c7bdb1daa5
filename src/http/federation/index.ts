import { exchangeOpenIdToken } from './exchange-open-id-token.ts';
import { getVersion } from './get-version.ts';

export const federationEndpoints = [exchangeOpenIdToken, getVersion];
