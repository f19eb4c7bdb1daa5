/** Files that are uploaded. */
import * as kind from './kinds.ts';
import { field, section } from './sections.ts';
import { retentionSection } from './retention-section.ts';
import { s3Section } from './s3-section.ts';
import { scannerSection } from './scanner-section.ts';
import { thumbnailsSection } from './thumbnails-section.ts';

const fields = {
  storage: field(
    kind.oneOf('local', 's3'),
    'local',
    'local: in a folder. s3: in an object store (docs/object-storage.md).',
  ),
  folder: field(
    kind.nullable(kind.path()),
    null,
    'Where they are kept, or with s3 what is being received. null: media in data_dir.',
  ),
  s3: s3Section,
  upload_bytes_max: field(
    kind.integer(0, Number.MAX_SAFE_INTEGER),
    4_294_967_296,
    'The largest file that may be uploaded. Proxies in front of the server need the same limit.',
  ),
  remote_bytes_max: field(
    kind.nullable(kind.integer(0, Number.MAX_SAFE_INTEGER)),
    null,
    'The largest file that is fetched from another server when somebody wants it. null: upload_bytes_max.',
  ),
  user_bytes_max: field(
    kind.nullable(kind.integer(0, Number.MAX_SAFE_INTEGER)),
    null,
    'How many bytes all files of one user may have together. null: no limit.',
  ),
  user_files_max: field(
    kind.nullable(kind.integer(0, Number.MAX_SAFE_INTEGER)),
    null,
    'How many files one user may have. null: no limit.',
  ),
  room_bytes_max: field(
    kind.nullable(kind.integer(0, Number.MAX_SAFE_INTEGER)),
    null,
    'How many bytes all files together may have that the events of one room name, as far as they are not encrypted. null: no limit.',
  ),
  user_limit_info_uri: field(
    kind.nullable(kind.httpUrl()),
    null,
    'A page that tells users who have reached these limits what they can do. null: public_base_url.',
  ),
  free_bytes_min: field(
    kind.integer(0, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Uploads are refused that would leave less room than that on the disk: the database needs some to go on.',
  ),
  pending_uploads_max: field(
    kind.integer(1, 100_000),
    50,
    'How many mxc URIs one user may have that were created and not uploaded to yet.',
  ),
  pending_upload_hours: field(kind.integer(1, 720), 24, 'For how long the upload to such a URI may begin.'),
  resumable_uploads_max: field(
    kind.integer(1, 10_000),
    20,
    'How many resumable uploads of one user may be open (docs/resumable-uploads.md).',
  ),
  resumable_upload_hours: field(
    kind.integer(1, 720),
    24,
    'After so long without a byte an open upload is forgotten, with what was received of it.',
  ),
  allow_unauthenticated: field(
    kind.boolean(),
    false,
    'Whether files can be fetched without an access token, by the paths of before Matrix 1.11.',
  ),
  retention: retentionSection,
  thumbnails: thumbnailsSection,
  scanner: scannerSection,
};

export const mediaSection = section('Files.', fields, ({ storage, s3 }, mistake) => {
  const isComplete = s3.bucket !== undefined && s3.accessKeyId !== undefined && s3.secretAccessKey !== undefined;
  if (storage === 's3' && !isComplete) mistake('s3', 'needs bucket, access_key_id and secret_access_key');
});
