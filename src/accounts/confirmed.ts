/** What a logged-in user must confirm by their password. */
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { AccountsContext } from './context.ts';
import { deleteDevices } from './devices.ts';
import type { InteractiveAuth } from './interactive-auth.ts';
import { issueLoginToken } from './login.ts';
import type { Requester } from './requester.ts';

type Confirming = AccountsContext & { readonly interactiveAuth: InteractiveAuth };

/** Throws 401 while the password is missing. Ids of devices that are not there are no error. */
export async function deleteOwnDevices(
  ctx: Confirming,
  requester: Requester,
  deviceIds: readonly string[],
  auth: JsonObject | undefined,
): Promise<void> {
  const authorised = await ctx.interactiveAuth.authorise(
    {
      name: 'deleteDevices',
      parameters: { deviceIds: deviceIds.toSorted() },
      requester,
      flows: [['m.login.password']],
    },
    auth,
  );
  await deleteDevices(ctx, requester.userNid, deviceIds);
  authorised.succeeded();
}

/**
 * A token by which another device logs in, once. The password is asked for each time.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token
 */
export async function generateLoginToken(
  ctx: Confirming,
  requester: Requester,
  auth: JsonObject | undefined,
): Promise<{ readonly loginToken: string; readonly expiresInMs: number }> {
  const authorised = await ctx.interactiveAuth.authorise(
    { name: 'generateLoginToken', parameters: {}, requester, flows: [['m.login.password']], isSingleUse: true },
    auth,
  );
  authorised.succeeded();
  if (authorised.passwordHash === undefined) throw new Error('a password stage proves the password');
  return issueLoginToken(ctx, requester.userNid, authorised.passwordHash);
}
