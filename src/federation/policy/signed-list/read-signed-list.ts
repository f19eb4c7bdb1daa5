/** What a signed federation list says (docs/federation.md). */
import type { KeyObject } from 'node:crypto';
import { MatrixError } from '../../../matrix/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../matrix/json/json-value.ts';
import { parseJson } from '../../../matrix/json/parse-json.ts';
import { limits } from '../../../platform/limits.ts';
import { signerOfChain, type Trust } from './certificate-chain.ts';
import { ListRefused } from './list-refused.ts';

export interface SignedList {
  /** Rises with each list of the same federation. */
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly issuedTs: number;
  readonly expiresTs: number;
  /** Names of servers, in which * and ? stand for anything. */
  readonly servers: readonly string[];
}

/**
 * Checks the signature and the certificates, which must be valid at the time. `text`: a JWS, compact or JSON, whose protected
 * header has `x5c`. Throws ListRefused. Whether the list has expired is not looked at.
 * https://www.rfc-editor.org/rfc/rfc7515
 */
export async function readSignedList(text: string, trust: Trust, nowTs: number): Promise<SignedList> {
  const payload = await verifiedPayload(text.trim(), trust, nowTs);
  const list = readList(parseObject(payload, 'what is signed'));
  if (list.issuedTs > nowTs + clockSkewMs) throw new ListRefused('it was issued in the future');
  return list;
}

const clockSkewMs = 5 * 60_000;

/** Those that need a certificate. */
const algorithms = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
];

interface Headed {
  readonly x5c?: unknown;
}

async function verifiedPayload(text: string, trust: Trust, nowTs: number): Promise<Uint8Array> {
  const { compactVerify, errors, flattenedVerify } = await import('jose');
  const keyOf = ({ x5c }: Headed): KeyObject => signerOfChain(x5c, trust, nowTs).publicKey;
  const options = { algorithms };
  try {
    if (!text.startsWith('{')) return (await compactVerify(text, keyOf, options)).payload;
    const { payload, protected: header, signature } = onlySignature(parseObject(text, 'the answer'));
    if (typeof payload !== 'string' || typeof header !== 'string' || typeof signature !== 'string')
      throw new ListRefused('a JWS has payload, protected and signature');
    const signed = { payload, protected: header, signature };
    return (await flattenedVerify(signed, (one?: Headed) => keyOf(one ?? {}), options)).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError)
      throw new ListRefused(`its signature does not count: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Of a JWS in general form the first signature; the flattened form as it is. */
function onlySignature(jws: JsonObject): JsonObject {
  const { signatures, payload } = jws;
  if (!Array.isArray(signatures)) return jws;
  const [first] = signatures;
  return isJsonObject(first) && payload !== undefined ? { ...first, payload } : {};
}

function readList(claims: JsonObject): SignedList {
  const { version, iat, exp, servers } = claims;
  if (!isCount(version)) throw new ListRefused('version must be a whole number');
  if (!isCount(iat) || !isCount(exp) || exp <= iat)
    throw new ListRefused('iat and exp must be times in seconds, exp after iat');
  if (!Array.isArray(servers) || servers.length > limits.signedListServersMax)
    throw new ListRefused(`servers must be a list of at most ${limits.signedListServersMax} entries`);
  const names = servers.map(nameOfEntry);
  if (names.filter((name) => /[*?]/.test(name)).length > limits.signedListPatternsMax)
    throw new ListRefused(`servers must have at most ${limits.signedListPatternsMax} entries with wildcards`);
  return { version, issuedTs: iat * 1_000, expiresTs: exp * 1_000, servers: names };
}

/** A name, or an object with `server_name` and whatever else its federation wants to say. */
function nameOfEntry(entry: JsonValue): string {
  const name = isJsonObject(entry) ? entry['server_name'] : entry;
  if (typeof name !== 'string' || name.length > 255 || !/^[A-Za-z0-9.:[\]*?-]+$/.test(name))
    throw new ListRefused('servers has an entry that is no server name');
  return name;
}

function parseObject(bytes: Uint8Array | string, what: string): JsonObject {
  try {
    const value = parseJson(typeof bytes === 'string' ? bytes : Buffer.from(bytes));
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    throw new ListRefused(`${what} cannot be read: ${error.message}`, { cause: error });
  }
  throw new ListRefused(`${what} is no JSON object`);
}

const isCount = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1_000;
