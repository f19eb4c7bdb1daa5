/** Someone's device with matrix-js-sdk and its Rust crypto, whose keys are in memory only. */
import { type EmptyObject, type MatrixClient, type MatrixEvent, PendingEventOrdering, type Room } from 'matrix-js-sdk';
import {
  CryptoEvent,
  type CryptoApi,
  decodeRecoveryKey,
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  type Verifier,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/index.js';
import { eventually } from './eventually.ts';
import { quietClient } from './person.ts';

export interface CryptoPersonOptions {
  readonly baseUrl: string;
  readonly name: string;
  readonly password: string;
  /** What the person wrote down when the secret storage was set up. */
  readonly recoveryKey?: string;
}

export class CryptoPerson {
  readonly client: MatrixClient;
  readonly #options: CryptoPersonOptions;
  /** Opens the secret storage. */
  #storageKey: Uint8Array<ArrayBuffer> | undefined;
  readonly #requests: VerificationRequest[] = [];

  private constructor(options: CryptoPersonOptions, session: Session) {
    this.#options = options;
    if (options.recoveryKey !== undefined) this.#storageKey = decodeRecoveryKey(options.recoveryKey);
    this.client = quietClient({
      baseUrl: options.baseUrl,
      userId: session.user_id,
      deviceId: session.device_id ?? '',
      accessToken: session.access_token ?? '',
      verificationMethods: ['m.sas.v1'],
      cryptoCallbacks: {
        getSecretStorageKey: async ({ keys }) => {
          const [keyId] = Object.keys(keys);
          return keyId === undefined || this.#storageKey === undefined ? null : [keyId, this.#storageKey];
        },
        cacheSecretStorageKey: (_id, _info, key) => void (this.#storageKey = key),
      },
    });
    this.client.on(CryptoEvent.VerificationRequestReceived, (request) => void this.#requests.push(request));
  }

  static async register(options: CryptoPersonOptions): Promise<CryptoPerson> {
    const { baseUrl, name: username, password } = options;
    const auth = { type: 'm.login.dummy' };
    return CryptoPerson.#start(options, await quietClient({ baseUrl }).registerRequest({ username, password, auth }));
  }

  /** A new device of somebody who is registered. */
  static async login(options: CryptoPersonOptions): Promise<CryptoPerson> {
    const { baseUrl, name: user, password } = options;
    const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
    return CryptoPerson.#start(options, await quietClient({ baseUrl }).loginRequest(login));
  }

  static async #start(options: CryptoPersonOptions, session: Session): Promise<CryptoPerson> {
    const person = new CryptoPerson(options, session);
    const { client } = person;
    await client.initRustCrypto({ useIndexedDB: false });
    await client.startClient({ initialSyncLimit: 20, pendingEventOrdering: PendingEventOrdering.Detached });
    await eventually(`the first sync of ${options.name}`, () => client.isInitialSyncComplete() || undefined);
    return person;
  }

  get userId(): string {
    return this.client.getSafeUserId();
  }
  get deviceId(): string {
    return this.client.getDeviceId() ?? '';
  }
  get crypto(): CryptoApi {
    const crypto = this.client.getCrypto();
    if (crypto === undefined) throw new Error('the client has no crypto');
    return crypto;
  }

  /** The user's first keys, a secret storage and a backup of the room keys. Gives what is to be written down. */
  async setUpEncryption(): Promise<string> {
    // The first cross-signing keys need no password.
    const authUploadDeviceSigningKeys = (upload: (auth: null) => Promise<EmptyObject | void>) =>
      upload(null).then(() => undefined);
    await this.crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys });
    const key = await this.crypto.createRecoveryKeyFromPassphrase();
    await this.crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => key,
      setupNewSecretStorage: true,
      setupNewKeyBackup: true,
    });
    if (key.encodedPrivateKey === undefined) throw new Error('there is no recovery key');
    return key.encodedPrivateKey;
  }

  room(roomId: string): Room {
    const room = this.client.getRoom(roomId);
    if (room === null) throw new Error(`${this.userId} knows no room ${roomId}`);
    return room;
  }

  async say(roomId: string, body: string): Promise<void> {
    await this.client.sendTextMessage(roomId, body);
  }

  /** The event, when the device has it and can read it. */
  reads(roomId: string, body: string): Promise<MatrixEvent> {
    return eventually(`"${body}" to be read by ${this.userId} ${this.deviceId}`, () =>
      this.client
        .getRoom(roomId)
        ?.getLiveTimeline()
        .getEvents()
        .find((event) => event.isEncrypted() && event.getContent()['body'] === body),
    );
  }

  /** A request of another device or user to verify each other. */
  verificationRequest(): Promise<VerificationRequest> {
    return eventually(`a verification request for ${this.userId}`, () => this.#requests.shift());
  }

  /** How many of the user's devices this one knows. */
  async knownDevices(userId: string): Promise<readonly string[]> {
    return [...((await this.crypto.getUserDeviceInfo([userId])).get(userId)?.keys() ?? [])];
  }

  /** Logs another device of the user out, as from a list of sessions. */
  async removeDevice(deviceId: string): Promise<void> {
    const identifier = { type: 'm.id.user', user: this.userId };
    const auth = { type: 'm.login.password', identifier, password: this.#options.password };
    await this.client.deleteMultipleDevices([deviceId], auth);
  }

  stop(): void {
    this.client.stopClient();
  }
}

type Session = Awaited<ReturnType<MatrixClient['loginRequest'] | MatrixClient['registerRequest']>>;

/** Both sides see the same emoji and say so. Resolves with the emoji when both are done. */
export async function verifyByEmoji(
  asking: VerificationRequest,
  asked: VerificationRequest,
): Promise<readonly string[]> {
  await asked.accept();
  await eventually('the acceptance', () => asking.phase === VerificationPhase.Ready || undefined);
  const verifier = await asking.startVerification('m.sas.v1');
  const otherVerifier = await eventually('the start of the verification', () => asked.verifier);
  const verified = Promise.all([verifier.verify(), otherVerifier.verify()]);
  const [mine, theirs] = await Promise.all([sasOf(verifier), sasOf(otherVerifier)]);
  const emoji = emojiOf(mine);
  if (emoji.join() !== emojiOf(theirs).join()) throw new Error('the emoji differ');
  await Promise.all([mine.confirm(), theirs.confirm()]);
  await verified;
  await eventually('the end of the verification', () => asking.phase === VerificationPhase.Done || undefined);
  return emoji;
}

function sasOf(verifier: Verifier): Promise<ShowSasCallbacks> {
  const shown = verifier.getShowSasCallbacks();
  if (shown !== null) return Promise.resolve(shown);
  return new Promise((resolve) => verifier.once(VerifierEvent.ShowSas, resolve));
}

const emojiOf = ({ sas }: ShowSasCallbacks): readonly string[] => (sas.emoji ?? []).map(([symbol]) => symbol);
