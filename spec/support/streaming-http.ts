import { Readable } from 'node:stream';
import type { OutgoingHttp, StreamingHttp } from '../../src/platform/ports.ts';

/** A way out that is asked for streams, too, where the other end gives whole answers. */
export const streamingHttp = (http: OutgoingHttp | StreamingHttp): StreamingHttp =>
  'stream' in http
    ? http
    : {
        request: (request) => http.request(request),
        async stream(request) {
          const { body, ...head } = await http.request({ ...request, responseBytesMax: Infinity });
          return { ...head, body: Readable.from([body], { objectMode: false }) };
        },
      };
