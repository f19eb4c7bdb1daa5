/** Who made a request to us. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
import { parseXMatrix, type XMatrixHeader } from '../../matrix/crypto/x-matrix.ts';
import { MatrixError } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { JsonValue } from '../../matrix/json/json-value.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { Clock } from '../../platform/ports.ts';
import type { KeyRing, RequestingServer, RequestSignature } from '../contract.ts';
import type { VerifyKeys } from '../keys/verify-keys.ts';
import type { FederationPolicy } from '../policy/federation-policy.ts';
import { isSigned } from './is-signed.ts';

/** What of a request says who made it. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they came. */
  readonly uri: string;
  /** All Authorization headers: one for each key that the origin signs with. */
  readonly authorization: readonly string[];
  readonly host: string | undefined;
}
/** Who a request says that it is from. */
export interface ClaimedOrigin extends RequestingServer {
  readonly headers: readonly XMatrixHeader[];
}

export interface RequestAuthenticatorParts {
  readonly localServers: LocalServers;
  readonly policy: FederationPolicy;
  readonly keyRing: KeyRing;
  readonly verifyKeys: VerifyKeys;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of every request whose signature is good. */
  heardFrom(server: ServerName): void;
}

export class RequestAuthenticator {
  readonly #parts: RequestAuthenticatorParts;

  constructor(parts: RequestAuthenticatorParts) {
    this.#parts = parts;
  }

  /**
   * Who the request says that it is from. Throws MatrixError 401 M_UNAUTHORIZED where it does not say so as it must, or was not meant
   * for us, and 403 M_FORBIDDEN for servers that we do not talk to.
   */
  claim({ authorization, host }: RequestHead): ClaimedOrigin {
    const headers = authorization.map(parseXMatrix).filter((header) => header !== undefined);
    const [first] = headers;
    if (first === undefined || headers.length !== authorization.length || headers.length > signaturesMax)
      throw unauthorized('The request must be signed: Authorization: X-Matrix origin=…,destination=…,key=…,sig=…');
    const { origin } = first;
    const isOne = headers.every((header) => header.origin === origin && header.destination === first.destination);
    if (!isOne) throw unauthorized('The signatures of a request must be by one server and for one server');
    const destination = this.#destinationOf(first, host);
    this.#parts.policy.assertMayReceiveFrom(origin);
    return { origin, destination, headers };
  }

  /** Loads the keys. Throws MatrixError 401 M_UNAUTHORIZED where none of them is known and valid now. */
  async loadKeys({ origin, destination, headers }: ClaimedOrigin, head: RequestHead): Promise<RequestSignature> {
    const validAtTs = this.#parts.clock.nowMs();
    const wanted = headers.map(({ key: keyId }) => ({ serverName: origin, keyId, validAtTs }));
    const findKey = await this.#parts.keyRing.find(wanted);
    const signatures = headers.flatMap(({ key: keyId, sig }) => {
      const key = findKey(origin, keyId);
      return key === undefined ? [] : [{ keyId, sig, publicKey: key.publicKey }];
    });
    if (signatures.length === 0)
      throw unauthorized(`No valid key of ${origin} with the id ${headers[0]?.key} could be had`);
    return { origin, destination, method: head.method, uri: head.uri, signatures };
  }

  /** Throws MatrixError 401 M_UNAUTHORIZED when the request with this body was not signed so. */
  assertSigned(signature: RequestSignature, content: JsonValue | undefined): void {
    if (!isSigned(signature, content, this.#parts.verifyKeys)) throw badSignature(signature.origin);
    this.confirm(signature);
  }

  /** The signature was found to be good elsewhere. */
  confirm({ origin }: RequestSignature): void {
    this.#parts.heardFrom(origin);
  }

  /** Servers from before v1.3 of the specification do not say whom they mean, so the Host header has to. */
  #destinationOf({ destination }: XMatrixHeader, host: string | undefined): ServerName {
    const { localServers } = this.#parts;
    if (destination === undefined) return localServers.names().find((name) => name === host) ?? localServers.main;
    if (!localServers.isLocal(destination)) throw unauthorized(`This server is not ${destination}`);
    return destination;
  }
}

const signaturesMax = 5;

/** The signature is not by its key over this request. */
export const badSignature = (origin: ServerName): MatrixError =>
  unauthorized(`The request is not signed by ${origin} as its header says`);

const unauthorized = (message: string): MatrixError => new MatrixError(401, 'M_UNAUTHORIZED', message);
