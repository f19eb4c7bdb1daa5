/** POST /account/password. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { replacePasswordHash, setPasswordHash } from '../storage/stores/account-store.ts';
import { devicesOfUser } from '../storage/stores/device-store.ts';
import { deleteEmailSession } from '../storage/stores/email-session-store.ts';
import { deleteLoginTokensOfUser } from '../storage/stores/login-token-store.ts';
import type { AccountsContext } from './context.ts';
import { writeDeviceRemoval } from './devices.ts';
import type { InteractiveAuth, Operation } from './interactive-auth.ts';
import { checkNewPassword } from './password-policy.ts';
import type { Requester } from './requester.ts';
import { whilePasswordStands } from './sessions.ts';

export interface PasswordChange {
  readonly newPassword: string;
  /** Whether other devices are logged out; never the one that asks. */
  readonly logoutDevices: boolean;
  readonly auth: JsonObject | undefined;
}

type Changing = AccountsContext & { readonly interactiveAuth: InteractiveAuth };

/**
 * `requester` undefined: whoever knows the old password or reads the account's mailbox, without being logged in.
 * Throws 401 while the proof of it is missing, 400 M_WEAK_PASSWORD or M_INVALID_PARAM.
 */
export async function changePassword(
  ctx: Changing,
  requester: Requester | undefined,
  change: PasswordChange,
): Promise<void> {
  const { newPassword, logoutDevices, auth } = change;
  checkNewPassword(newPassword, ctx.config.password.minimumLength);
  const authorised = await ctx.interactiveAuth.authorise(
    {
      name: 'changePassword',
      parameters: { newPassword, logoutDevices },
      requester,
      flows: requester === undefined && ctx.mailer.isConfigured ? [...byPassword, ...byEmail] : byPassword,
      emailPurpose: 'reset',
    },
    auth,
  );
  // Done already, and the answer got lost. Doing it again could undo a later change.
  if (authorised.outcome !== undefined) return;
  const { userNid, passwordHash: provenHash, email } = authorised;
  if (userNid === undefined || (provenHash === undefined && email === undefined))
    throw new Error('each stage proves whose password it is');
  const options = { logoutDevices, keptDeviceNid: requester?.deviceNid, provenHash, emailSid: email?.sid };
  await setPassword(ctx, userNid, newPassword, options);
  authorised.succeeded(true);
}

const byPassword: Operation['flows'] = [['m.login.password']];
const byEmail: Operation['flows'] = [['m.login.email.identity']];

/**
 * The new password is checked by the caller. `provenHash`: of the password that allows the change; `emailSid`: of the
 * confirmed address that does; neither: an administrator does. Throws 403 M_FORBIDDEN when the proven password was changed
 * meanwhile, or the confirmed address was used or taken from the account.
 */
export async function setPassword(
  ctx: Pick<AccountsContext, 'db' | 'locks' | 'passwords' | 'outgoingDevices'>,
  userNid: number,
  newPassword: string,
  options: {
    readonly logoutDevices: boolean;
    readonly keptDeviceNid: number | undefined;
    readonly provenHash: string | undefined;
    readonly emailSid?: string | undefined;
  },
): Promise<void> {
  const { provenHash: was, emailSid: sid } = options;
  const passwordHash = await ctx.passwords.hash(newPassword);
  await ctx.locks.run(userNid, async () => {
    const devices = options.logoutDevices ? await ctx.db.all(devicesOfUser, { user: userNid }) : [];
    const changed = ctx.db.write((unit) => {
      if (was === undefined) unit.run(setPasswordHash, { user: userNid, passwordHash });
      else unit.run(replacePasswordHash, { user: userNid, was, passwordHash }, { changes: 1 });
      if (sid !== undefined) unit.run(deleteEmailSession, { sid }, { changes: 1 });
      unit.run(deleteLoginTokensOfUser, { user: userNid });
      writeDeviceRemoval(
        ctx,
        unit,
        userNid,
        devices.filter(({ device_nid: nid }) => nid !== options.keptDeviceNid),
      );
    });
    await whilePasswordStands(changed.committed);
  });
}
