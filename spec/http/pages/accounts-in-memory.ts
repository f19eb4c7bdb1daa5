import type { Requester } from '../../../src/accounts/requester.ts';
import type { StartPageAccounts, StartPageSession } from '../../../src/http/pages/start-page-accounts.ts';
import { forbidden, MatrixError } from '../../../src/matrix/errors.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';

interface Account {
  readonly password: string;
  readonly isAdmin: boolean;
}

/** Accounts that live as long as a spec. */
export class AccountsInMemory implements StartPageAccounts {
  readonly accounts = new Map<string, Account>();
  readonly sessions = new Map<string, string>();
  readonly registrationTokens: { usesAllowed: number | undefined; expiresMs: number | undefined }[] = [];
  setupToken: string | undefined;
  #count = 0;

  firstAdministratorDue = async (): Promise<boolean> => ![...this.accounts.values()].some(({ isAdmin }) => isAdmin);

  async createFirstAdministrator(token: string, localpart: string, password: string): Promise<StartPageSession> {
    if (token !== this.setupToken) throw forbidden('wrong token');
    this.#create(localpart, { password, isAdmin: true });
    this.setupToken = undefined;
    return this.#begin(localpart);
  }

  async signIn(user: string, password: string): Promise<StartPageSession> {
    if (this.accounts.get(user)?.password !== password) throw forbidden('wrong password');
    return this.#begin(user);
  }

  async findRequester(accessToken: string): Promise<Requester | undefined> {
    const localpart = this.sessions.get(accessToken);
    if (localpart === undefined) return undefined;
    return {
      userId: userIdOf(localpart),
      userNid: 1,
      deviceId: 'PAGE',
      deviceNid: 1,
      isAdmin: this.accounts.get(localpart)?.isAdmin === true,
      isGuest: false,
      isSuspended: false,
      tokenHash: Buffer.from(accessToken),
    };
  }

  async signOut(requester: Requester): Promise<void> {
    this.sessions.delete(requester.tokenHash.toString());
  }

  async createAccount(
    _requester: Requester,
    { localpart, password, isAdmin }: { localpart: string; password: string; isAdmin: boolean },
  ): Promise<string> {
    this.#create(localpart, { password, isAdmin });
    return userIdOf(localpart);
  }

  async createRegistrationToken(
    _requester: Requester,
    token: { usesAllowed: number | undefined; expiresMs: number | undefined },
  ): Promise<string> {
    this.registrationTokens.push(token);
    return `token-${this.registrationTokens.length}`;
  }

  #create(localpart: string, account: Account): void {
    if (!/^[a-z0-9]+$/.test(localpart)) throw new MatrixError(400, 'M_INVALID_USERNAME', 'invalid');
    if (this.accounts.has(localpart)) throw new MatrixError(400, 'M_USER_IN_USE', 'in use');
    if (account.password.length < 8) throw new MatrixError(400, 'M_WEAK_PASSWORD', 'weak');
    this.accounts.set(localpart, account);
  }

  #begin(localpart: string): StartPageSession {
    const accessToken = `session;${++this.#count}`;
    this.sessions.set(accessToken, localpart);
    return { userId: userIdOf(localpart), accessToken };
  }
}

const userIdOf = (localpart: string): UserId => `@${localpart}:example.org` as UserId;
