/** https://spec.matrix.org/v1.19/identity-service-api/#get_matrixidentityv2pubkeyisvalid */
import { MatrixError } from '../../matrix/errors.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';
import type { OutgoingHttp } from '../../platform/ports.ts';
import type { KeyValidity } from '../../rooms/ports.ts';

/** URLs come from rooms: only https, without credentials; which addresses may be reached is for `outgoing` to say. */
export function createKeyValidity(http: OutgoingHttp): KeyValidity {
  return {
    async isValid(validityUrl, publicKey) {
      const url = URL.parse(validityUrl);
      if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return false;
      url.hash = '';
      url.searchParams.set('public_key', publicKey);
      try {
        const { status, body } = await http.request({
          method: 'GET',
          url: url.href,
          headers: { accept: 'application/json' },
          timeoutMs: limits.keyValidityTimeoutMs,
          responseBytesMax: limits.keyValidityBytesMax,
        });
        const answer = status === 200 ? parseJson(body) : undefined;
        return isJsonObject(answer) && answer['valid'] === true;
      } catch (error) {
        if (error instanceof OutgoingHttpError || error instanceof MatrixError) return false;
        throw error;
      }
    },
  };
}
