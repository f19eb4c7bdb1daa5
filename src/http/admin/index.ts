import { createRegistrationToken } from './create-registration-token.ts';
import { deleteRegistrationToken } from './delete-registration-token.ts';
import { getOperatorNonce } from './get-operator-nonce.ts';
import { getRegistrationNonce } from './get-registration-nonce.ts';
import { getRegistrationToken } from './get-registration-token.ts';
import { getServerVersion } from './get-server-version.ts';
import { getUser } from './get-user.ts';
import { listRegistrationTokens } from './list-registration-tokens.ts';
import { purgeHistoryAsOperator } from './purge-history-as-operator.ts';
import { putUser } from './put-user.ts';
import { reloadConfiguration } from './reload-configuration.ts';
import { registerAsOperator } from './register-as-operator.ts';
import { registerWithSharedSecret } from './register-with-shared-secret.ts';
import { rotateSigningKeyAsOperator } from './rotate-signing-key-as-operator.ts';
import { sendServerNotice } from './send-server-notice.ts';
import { sendServerNoticeOnce } from './send-server-notice-once.ts';
import { setAccountValidity } from './set-account-validity.ts';
import { updateRegistrationToken } from './update-registration-token.ts';

export const adminEndpoints = [
  getServerVersion,
  getRegistrationNonce,
  registerWithSharedSecret,
  getOperatorNonce,
  registerAsOperator,
  getUser,
  putUser,
  setAccountValidity,
  createRegistrationToken,
  listRegistrationTokens,
  getRegistrationToken,
  updateRegistrationToken,
  deleteRegistrationToken,
];

/** How the server is set. */
export const adminConfigurationEndpoints = [reloadConfiguration, rotateSigningKeyAsOperator];

/** What the server tells users. */
export const serverNoticeEndpoints = [sendServerNotice, sendServerNoticeOnce];

/** What administers rooms. */
export const adminRoomEndpoints = [purgeHistoryAsOperator];
