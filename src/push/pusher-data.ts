import { invalidParam, missingParam } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { PushConfig } from './context.ts';

/** Where push gateways answer. */
export const gatewayPath = '/_matrix/push/v1/notify';

/**
 * Checks the `data` of an HTTP pusher: 400 M_MISSING_PARAM without a url, M_INVALID_PARAM for one that no notification will
 * be sent to. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset
 */
export function checkPusherData(config: Pick<PushConfig, 'allowInsecureGateways'>, data: JsonObject): void {
  const { url: text, format } = data;
  if (text === undefined) throw missingParam('data.url is missing');
  const url = typeof text === 'string' ? URL.parse(text) : null;
  const protocols = config.allowInsecureGateways ? ['https:', 'http:'] : ['https:'];
  if (url === null || !protocols.includes(url.protocol)) throw invalidParam('data.url must be an https URL');
  if (url.pathname !== gatewayPath) throw invalidParam(`The path of data.url must be ${gatewayPath}`);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw invalidParam('data.url must have no user name, password or fragment');
  if (format !== undefined && typeof format !== 'string') throw invalidParam('data.format must be a string');
  checkPusherDataSize(data);
}

/** Throws 400 M_INVALID_PARAM for what is too large. Of pushers of any kind. */
export function checkPusherDataSize(data: JsonObject): void {
  if (Buffer.byteLength(JSON.stringify(data)) > limits.pusherDataBytesMax)
    throw invalidParam(`data must have at most ${limits.pusherDataBytesMax} bytes`);
}
