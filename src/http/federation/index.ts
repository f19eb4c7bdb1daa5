import { exchangeOpenIdToken } from './exchange-open-id-token.ts';
import { getVersion } from './get-version.ts';
import { sendTransaction } from './send-transaction.ts';

export const federationEndpoints = [exchangeOpenIdToken, getVersion, sendTransaction];
