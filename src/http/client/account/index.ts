import { changePassword } from './change-password.ts';
import { deactivateAccount } from './deactivate-account.ts';
import { getAccount3pids } from './get-account-3pids.ts';
import { getTokenOwner } from './get-token-owner.ts';
import { sendRenewalMail } from './send-renewal-mail.ts';

export const accountEndpoints = [getTokenOwner, changePassword, deactivateAccount, getAccount3pids, sendRenewalMail];
