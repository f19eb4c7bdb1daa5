/** What is deleted when nobody uses it. */
import * as kind from './kinds.ts';
import { field, section } from './sections.ts';

const days = kind.nullable(kind.integer(1, 36_500));

export const retentionSection = section(
  'What is deleted for good after so many days without use; null: never. See docs/files.md.',
  {
    local_days: field(days, null, 'Files of users here that nobody has read.'),
    unreferenced_days: field(
      days,
      null,
      'The same for those that nothing names any more, no event, profile or setting; not for users who have ever sent encrypted events.',
    ),
    remote_days: field(days, null, "Copies of other servers' files. They are fetched again when somebody wants them."),
    keeps: field(
      kind.oneOf('nothing', 'avatars', 'named'),
      'avatars',
      'What local_days and remote_days spare. avatars: pictures of users and rooms. named: also what anything names, or may name encrypted.',
    ),
    removes_protected: field(
      kind.boolean(),
      false,
      'Whether local_days and remote_days also delete what administrators have protected from quarantine.',
    ),
    thumbnail_days: field(days, 90, 'Smaller images of images. They are made again when somebody asks for them.'),
    preview_days: field(
      kind.integer(1, 36_500),
      7,
      'Previews of URLs, counted from when they were made, with their images.',
    ),
  },
);
