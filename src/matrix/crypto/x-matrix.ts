/**
 * Requests between servers are signed in the Authorization header.
 * https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
import { encodeBase64 } from '../ids/base64.ts';
import type { ServerName } from '../ids/ids.ts';
import { isServerName } from '../ids/server-name.ts';
import { legacyCanonicalJson } from '../json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { addSignature, signableText, signText, type SignatureResult, verifySignedJson } from '../json/signed-json.ts';
import type { SigningKey, VerifyKey } from './ed25519.ts';

export interface XMatrixHeader {
  readonly origin: ServerName;
  /** undefined: a server from before Matrix 1.3. If it is there and names another server, the answer is 401. */
  readonly destination: ServerName | undefined;
  readonly key: string;
  /** Unpadded Base64, not looked at yet. */
  readonly sig: string;
}

/** What is signed of a request. */
export interface SignedRequest {
  /** In upper case. */
  readonly method: string;
  /** Path and query as they are sent, from `/_matrix` on. */
  readonly uri: string;
  readonly origin: ServerName;
  readonly destination: ServerName;
  /** The body, parsed with `numbers: 'exact'`; undefined: there is none. */
  readonly content?: JsonValue | undefined;
}

/**
 * Reads the value of an Authorization header. undefined: another scheme, a parameter is missing or twice, the origin or
 * the destination is no server name. Unknown parameters are ignored.
 */
export function parseXMatrix(header: string): XMatrixHeader | undefined {
  const scheme = /^X-Matrix[ \t]+/i.exec(header);
  if (scheme === null) return undefined;
  const parameters = parseParameters(header.slice(scheme[0].length));
  const origin = parameters?.get('origin');
  const destination = parameters?.get('destination');
  const key = parameters?.get('key');
  const sig = parameters?.get('sig');
  if (!isServerName(origin) || key === undefined || sig === undefined) return undefined;
  if (destination !== undefined && !isServerName(destination)) return undefined;
  return { origin, destination, key, sig };
}

/** The value of the Authorization header for a request. Throws CanonicalJsonError when the body cannot be signed. */
export function signRequest(request: SignedRequest, key: SigningKey): string {
  const sig = signText(signableText(requestObject(request), legacyCanonicalJson), key);
  return headerOf(request, key, sig);
}

function headerOf({ origin, destination }: Omit<SignedRequest, 'content'>, key: SigningKey, sig: string): string {
  return `X-Matrix origin="${origin}",destination="${destination}",key="${key.keyId}",sig="${sig}"`;
}

/** The same for a body whose canonical JSON is at hand, so that a large one is not put together again. Nothing checks that it is. */
export function signRequestText(request: Omit<SignedRequest, 'content'>, content: Buffer, key: SigningKey): string {
  const { destination, method, origin, uri } = request;
  const rest = legacyCanonicalJson({ destination, method, origin, uri });
  const text = Buffer.concat([Buffer.from('{"content":'), content, Buffer.from(`,${rest.slice(1)}`)]);
  return headerOf(request, key, encodeBase64(key.sign(text)));
}

/** Whether the header's origin has signed the request with the key that the header names. */
export function verifyRequest(header: XMatrixHeader, request: SignedRequest, verifyKey: VerifyKey): SignatureResult {
  const object = addSignature(requestObject(request), header.origin, header.key, header.sig);
  const findKey = (keyId: string): VerifyKey | undefined => (keyId === header.key ? verifyKey : undefined);
  return verifySignedJson(object, header.origin, findKey, legacyCanonicalJson);
}

function requestObject({ method, uri, origin, destination, content }: SignedRequest): JsonObject {
  // In canonical order, so that a large body in canonical order is written fast.
  return { ...(content === undefined ? {} : { content }), destination, method, origin, uri };
}

// One parameter, or the white space and commas between them. Unquoted values may hold whatever older servers put there.
const parameter = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))[ \t]*(?:,|$)/y;
const separators = /[ \t,]*/y;

/** Names in lower case. undefined: not a list of name=value, or a name occurs twice. */
function parseParameters(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  let at = skipSeparators(text, 0);
  while (at < text.length) {
    parameter.lastIndex = at;
    const match = parameter.exec(text);
    if (match === null) return undefined;
    const [whole, name = '', quoted, token = ''] = match;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), quoted === undefined ? token : quoted.replace(/\\(.)/g, '$1'));
    at = skipSeparators(text, at + whole.length);
  }
  return parameters;
}

function skipSeparators(text: string, at: number): number {
  separators.lastIndex = at;
  return at + (separators.exec(text)?.[0].length ?? 0);
}
