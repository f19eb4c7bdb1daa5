/** A bucket of an S3-compatible object store. */
import * as kind from './kinds.ts';
import { field, secretField, section } from './sections.ts';

const bucketName = kind.text('the name of a bucket', (value) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(value) ? value : undefined,
);
const keyPrefix = kind.text('a prefix of keys, such as media/ (up to 200 of A-Z, a-z, 0-9, ._-/)', (value) =>
  /^(?!\/)[A-Za-z0-9._/-]{0,200}$/.test(value) && !/\/\/|(^|\/)\.\.?(\/|$)/.test(value) ? value : undefined,
);

export const s3Section = section('With storage: s3. See docs/object-storage.md.', {
  endpoint: field(
    kind.nullable(kind.httpUrl()),
    null,
    'Where the object store is; it may be in a private network. null: Amazon S3.',
  ),
  region: field(kind.nonEmpty('the name of a region'), 'us-east-1', 'What requests are signed for.'),
  bucket: field(kind.nullable(bucketName), null, 'It must be there already.'),
  prefix: field(keyPrefix, '', 'What every key begins with, where several share a bucket.'),
  path_style: field(
    kind.boolean(),
    true,
    'Whether the bucket is in the path of a URL. false: it is a part of the host name.',
  ),
  access_key_id: field(kind.nullable(kind.nonEmpty('the id of an access key')), null, 'Whose access is used.'),
  secret_access_key: secretField(kind.nullable(kind.secretText()), 'Of that key.'),
});
