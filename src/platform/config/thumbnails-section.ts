/** Smaller images of images. */
import * as kind from './kinds.ts';
import { field, object, requiredField, section } from './sections.ts';

const size = object({
  width: requiredField(kind.integer(16, 4_096), 'In pixels.'),
  height: requiredField(kind.integer(16, 4_096), 'In pixels.'),
  method: requiredField(kind.oneOf('crop', 'scale'), 'crop: of exactly these proportions; scale: fitting into them.'),
});

/** https://spec.matrix.org/v1.19/client-server-api/#thumbnails */
const recommended = [
  { width: 32, height: 32, method: 'crop' },
  { width: 96, height: 96, method: 'crop' },
  { width: 320, height: 240, method: 'scale' },
  { width: 640, height: 480, method: 'scale' },
  { width: 800, height: 600, method: 'scale' },
];

export const thumbnailsSection = section('Smaller images of images. They are made when somebody asks for them.', {
  dynamic: field(kind.boolean(), true, 'Whether clients get about the size that they ask for. false: one of sizes.'),
  sizes: field(kind.listOf(size, { min: 1 }), recommended, 'The sizes that are made in any case.'),
  at_upload: field(kind.boolean(), false, 'Whether sizes are made as soon as an image is uploaded.'),
  processes_max: field(
    kind.integer(1, 64),
    2,
    'How many images are worked on at once, each in a process of its own that ends when there is nothing to do.',
  ),
  pixels_max: field(
    kind.integer(1_000_000, 1_000_000_000),
    50_331_648,
    'Larger images have no thumbnails. A process may take several bytes of memory for each pixel, and 768 MiB at most.',
  ),
});
