import { exchangeOpenIdToken } from './exchange-open-id-token.ts';
import { getVersion } from './get-version.ts';
import { membershipEndpoints } from './membership/index.ts';
import { queryRoomDirectory } from './query-room-directory.ts';
import { sendTransaction } from './send-transaction.ts';

export const federationEndpoints = [
  exchangeOpenIdToken,
  getVersion,
  queryRoomDirectory,
  sendTransaction,
  ...membershipEndpoints,
];
