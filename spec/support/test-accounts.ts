/** Accounts behind HTTP, without rooms: what accounts tell the rooms is kept for the test to look at. */
import { afterEach } from 'vitest';
import { type Accounts, createAccounts } from '../../src/accounts/index.ts';
import { noRemoteProfiles } from '../../src/accounts/no-remote-profiles.ts';
import type { AccountsConfig } from '../../src/accounts/context.ts';
import type { AttemptLimiter } from '../../src/accounts/ports.ts';
import { adminEndpoints } from '../../src/http/admin/index.ts';
import { accountDataEndpoints } from '../../src/http/client/account-data/index.ts';
import { accountEndpoints } from '../../src/http/client/account/index.ts';
import { capabilitiesEndpoints } from '../../src/http/client/capabilities/index.ts';
import { deviceEndpoints } from '../../src/http/client/devices/index.ts';
import { filterEndpoints } from '../../src/http/client/filter/index.ts';
import { loginEndpoints } from '../../src/http/client/login/index.ts';
import { openIdEndpoints } from '../../src/http/client/openid/index.ts';
import { profileEndpoints } from '../../src/http/client/profile/index.ts';
import { pushRulesEndpoints } from '../../src/http/client/push-rules/index.ts';
import { registrationEndpoints } from '../../src/http/client/registration/index.ts';
import { serverAdministrationEndpoints } from '../../src/http/client/server-administration/index.ts';
import { Mailer } from '../../src/mail/mailer.ts';
import { exchangeOpenIdToken } from '../../src/http/federation/exchange-open-id-token.ts';
import { threepidEndpoints } from '../../src/http/client/threepids/index.ts';
import { emailPageEndpoints } from '../../src/http/pages/index.ts';
import { signingKeyFromSeed } from '../../src/matrix/crypto/ed25519.ts';
import type { ServerName, UserId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';
import { type Config, loadConfig } from '../../src/platform/config/config.ts';
import { LocalServers } from '../../src/platform/local-servers.ts';
import { Secret } from '../../src/platform/secret.ts';
import type { Commit, Database, Wake } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { nobodyTold } from '../encryption/support/other-servers.ts';
import type { TestEngine } from './databases.ts';
import { type TestPorts, testPorts } from './test-ports.ts';
import { startTestServer, type TestResponse } from './test-server.ts';

export const sharedSecretOfTests = 'shared secret of tests';
/** Long enough for the default minimum. */
export const passwordOfTests = 'sUp3rs3kr1t';

export interface TestUser {
  readonly userId: UserId;
  readonly deviceId: string;
  readonly token: string;
}
export interface TestAccounts {
  readonly accounts: Accounts;
  readonly db: Database;
  readonly ports: TestPorts;
  readonly wakes: readonly Wake[];
  /** What rooms were told. */
  readonly propagated: readonly { readonly userId: UserId; readonly profile: JsonObject }[];
  readonly departed: readonly UserId[];
  /** The path begins below the server; a body is sent as JSON. */
  request(
    method: string,
    path: string,
    options?: {
      readonly user?: { readonly token: string };
      readonly body?: JsonValue;
      readonly query?: Record<string, string>;
      readonly headers?: Record<string, string>;
    },
  ): Promise<TestResponse>;
  /** As a browser sends a form. */
  submitForm(path: string, fields: Record<string, string>): Promise<TestResponse>;
  register(localpart: string, more?: JsonObject): Promise<TestUser>;
  logIn(localpart: string, more?: JsonObject): Promise<TestUser>;
  registerAdministrator(localpart: string): Promise<TestUser>;
}

export interface TestAccountsOptions {
  readonly config?: Partial<AccountsConfig>;
  readonly attempts?: AttemptLimiter;
  readonly db?: Database;
}

/** A mail server that is only a list: the ports' sentMail. */
export const emailConfigOfTests: Config['email'] = loadConfig(undefined, {
  VECHE_EMAIL__SMTP__HOST: 'mail.test',
  VECHE_EMAIL__FROM: 'matrix@test.example',
}).email;

export const accountsConfigOfTests: AccountsConfig = {
  registration: {
    enabled: true,
    allowGuests: false,
    requireToken: false,
    email: 'off',
    terms: [],
    sharedSecret: new Secret(sharedSecretOfTests),
  },
  accountValidity: { periodDays: undefined, remindDays: 14 },
  password: { minimumLength: 8, argon2: { memoryKib: 8, passes: 1 } },
  serverNotices: { localpart: '_server', displayName: 'Server', avatarUrl: undefined, roomName: 'Server notices' },
  delayedEvents: { delayMsMax: 86_400_000, scheduledMax: 100 },
  urlPreviews: { enabled: true, allowed: [], blocked: [] },
  rooms: { defaultVersion: '12', encryptByDefault: 'off' },
  email: emailConfigOfTests,
  publicBaseUrl: 'https://matrix.test',
  serverName: 'test' as ServerName,
};

export function localServersOfTests(names: readonly [string, ...string[]] = ['test']): LocalServers {
  const [first, ...others] = names.map((name, index) => ({
    serverName: name as ServerName,
    signingKey: signingKeyFromSeed(`ed25519:k${index}`, Buffer.alloc(32, index + 1)),
    oldSigningKeys: [],
  }));
  if (first === undefined) throw new Error('a server has a name');
  return new LocalServers([first, ...others]);
}

/** To be called in a `describeOnBothEngines`. What it starts is closed after the test, before its database. */
export function accountsOn(engine: TestEngine): (options?: TestAccountsOptions) => Promise<TestAccounts> {
  const started: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of started.splice(0)) await close();
  });
  return async (options = {}) => start(options.db ?? (await engine.open()), options, started);
}

async function start(
  db: Database,
  options: TestAccountsOptions,
  started: (() => Promise<void>)[],
): Promise<TestAccounts> {
  const ports = testPorts(1);
  const wakes: Wake[] = [];
  const stopListening = db.onCommitted((commit: Commit) => void wakes.push(...commit.wakes));
  const propagated: { userId: UserId; profile: JsonObject }[] = [];
  const departed: UserId[] = [];
  const accounts = createAccounts({
    db,
    names: new Names(db),
    localServers: localServersOfTests(['test', 'second.test']),
    config: { ...accountsConfigOfTests, ...options.config },
    attempts: options.attempts,
    mailer: new Mailer(options.config?.email ?? emailConfigOfTests, ports.mail),
    profilePropagation: {
      profileChanged: async (userId, profile) => void propagated.push({ userId, profile }),
    },
    remoteProfiles: noRemoteProfiles,
    departure: {
      leaveAllRooms: async (userId) => void departed.push(userId),
    },
    outgoingDevices: nobodyTold,
    clock: ports.clock,
    timers: ports.timers,
    random: ports.random,
  });
  const server = await startTestServer({
    endpoints: accountAreas,
    domain: {
      accounts,
      software: { name: 'veche', version: '0.0.0' },
      emailPage: { serverName: 'test', redirectHosts: ['app.test'] },
    },
    auth: accounts.accessTokens,
  });
  started.push(async () => {
    await server.close();
    await accounts.close();
    stopListening();
  });

  const request: TestAccounts['request'] = (method, path, { user, body, query, headers } = {}) =>
    server.request(method, path, {
      ...(user === undefined ? {} : { token: user.token }),
      ...(body === undefined ? {} : { body }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
    });
  const session = async (path: string, body: JsonObject): Promise<TestUser> =>
    userFrom(await request('POST', path, { body }));
  return {
    accounts,
    db,
    ports,
    wakes,
    propagated,
    departed,
    request,
    submitForm: (path, fields) =>
      server.request('POST', path, {
        rawBody: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    register: (username, more) =>
      session('/_matrix/client/v3/register', {
        auth: { type: 'm.login.dummy' },
        username,
        password: passwordOfTests,
        ...more,
      }),
    logIn: (user, more) =>
      session('/_matrix/client/v3/login', {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user },
        password: passwordOfTests,
        ...more,
      }),
    async registerAdministrator(localpart) {
      const token = (await accounts.mintFirstAdministratorToken()) ?? '';
      const client = { address: '127.0.0.1', userAgent: undefined };
      const { accessToken } = await accounts.startPage.createFirstAdministrator(
        token,
        localpart,
        passwordOfTests,
        client,
      );
      const { json } = await request('GET', '/_matrix/client/v3/account/whoami', { user: { token: accessToken } });
      return userFrom({ status: 200, json: { ...json, access_token: accessToken } });
    },
  };
}

/** What a refused request is about. */
export const refusal = ({ status, json }: Pick<TestResponse, 'status' | 'json'>): readonly [number, unknown] => [
  status,
  json['errcode'],
];

/** The session that an answer to /login or /register has. */
export const sessionOf = ({ json }: Pick<TestResponse, 'json'>): { readonly token: string } => {
  const { access_token: token } = json;
  if (typeof token !== 'string') throw new Error(`no access token: ${JSON.stringify(json)}`);
  return { token };
};

/** The auth data of the password stage. */
export function passwordAuth(user: string, password = passwordOfTests): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
}

function userFrom({ status, json }: Pick<TestResponse, 'status' | 'json'>): TestUser {
  const { user_id: userId, device_id: deviceId, access_token: token } = json;
  if (status !== 200 || typeof userId !== 'string' || typeof deviceId !== 'string' || typeof token !== 'string')
    throw new Error(`no session: ${status} ${JSON.stringify(json)}`);
  return { userId: userId as UserId, deviceId, token };
}

const accountAreas = [
  ...accountEndpoints,
  ...loginEndpoints,
  ...registrationEndpoints,
  ...deviceEndpoints,
  ...profileEndpoints,
  ...filterEndpoints,
  ...accountDataEndpoints,
  ...pushRulesEndpoints,
  ...capabilitiesEndpoints,
  ...serverAdministrationEndpoints,
  ...openIdEndpoints,
  exchangeOpenIdToken,
  ...threepidEndpoints,
  ...emailPageEndpoints,
  ...adminEndpoints,
];
