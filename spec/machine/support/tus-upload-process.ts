/** `node tus-upload-process.ts ENDPOINT TOKEN FILE`: uploads by tus-js-client as it is, and prints the mxc URI. */
import { createReadStream, statSync } from 'node:fs';
import { Upload } from 'tus-js-client';

const [endpoint = '', token = '', path = ''] = process.argv.slice(2);
let uri = '';
const upload = new Upload(createReadStream(path), {
  endpoint,
  uploadSize: statSync(path).size,
  chunkSize: Infinity,
  retryDelays: Array.from({ length: 200 }, () => 1_000),
  headers: { authorization: `Bearer ${token}` },
  onAfterResponse: (_request, response) => {
    uri = response.getHeader('matrix-content-uri') ?? uri;
  },
  onError: (error) => {
    console.error(error);
    process.exitCode = 1;
  },
  onSuccess: () => console.log(uri),
});
upload.start();
