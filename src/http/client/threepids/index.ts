import { add3pid } from './add-3pid.ts';
import { bind3pid } from './bind-3pid.ts';
import { delete3pidFromAccount } from './delete-3pid-from-account.ts';
import { post3pids } from './post-3pids.ts';
import { requestTokenTo3pidEmail } from './request-token-to-3pid-email.ts';
import { requestTokenTo3pidMsisdn } from './request-token-to-3pid-msisdn.ts';
import { requestTokenToRegisterEmail } from './request-token-to-register-email.ts';
import { requestTokenToRegisterMsisdn } from './request-token-to-register-msisdn.ts';
import { requestTokenToResetPasswordEmail } from './request-token-to-reset-password-email.ts';
import { requestTokenToResetPasswordMsisdn } from './request-token-to-reset-password-msisdn.ts';
import { submitEmailToken } from './submit-email-token.ts';
import { unbind3pidFromAccount } from './unbind-3pid-from-account.ts';

export const threepidEndpoints = [
  requestTokenToRegisterEmail,
  requestTokenToResetPasswordEmail,
  requestTokenTo3pidEmail,
  requestTokenToRegisterMsisdn,
  requestTokenToResetPasswordMsisdn,
  requestTokenTo3pidMsisdn,
  add3pid,
  post3pids,
  bind3pid,
  delete3pidFromAccount,
  unbind3pidFromAccount,
  submitEmailToken,
];
