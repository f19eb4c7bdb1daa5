import { createContent } from './create-content.ts';
import { getConfigAuthed } from './get-config-authed.ts';
import { getConfig } from './get-config.ts';
import { getContentAuthed } from './get-content-authed.ts';
import { getContentOverrideNameAuthed } from './get-content-override-name-authed.ts';
import { getContentOverrideName } from './get-content-override-name.ts';
import { getContentThumbnailAuthed } from './get-content-thumbnail-authed.ts';
import { getContentThumbnail } from './get-content-thumbnail.ts';
import { getContent } from './get-content.ts';
import { getUrlPreviewAuthed } from './get-url-preview-authed.ts';
import { getUrlPreview } from './get-url-preview.ts';
import { uploadContentToMXC } from './upload-content-to-mxc.ts';
import { uploadContent } from './upload-content.ts';

export const mediaEndpoints = [
  createContent,
  getConfigAuthed,
  getConfig,
  getContentAuthed,
  getContentOverrideNameAuthed,
  getContentOverrideName,
  getContentThumbnailAuthed,
  getContentThumbnail,
  getContent,
  getUrlPreviewAuthed,
  getUrlPreview,
  uploadContentToMXC,
  uploadContent,
];
