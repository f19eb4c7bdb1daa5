/** Files that are uploaded. */
import * as kind from './kinds.ts';
import { field, section } from './sections.ts';
import { thumbnailsSection } from './thumbnails-section.ts';

export const mediaSection = section('Files.', {
  folder: field(kind.nullable(kind.path()), null, 'Where they are kept. null: media in data_dir.'),
  upload_bytes_max: field(
    kind.integer(0, Number.MAX_SAFE_INTEGER),
    4_294_967_296,
    'The largest file that may be uploaded. Proxies in front of the server need the same limit.',
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
  thumbnails: thumbnailsSection,
});
