import { createContent } from './create-content.ts';
import { getConfigAuthed } from './get-config-authed.ts';
import { getConfig } from './get-config.ts';
import { getContentAuthed } from './get-content-authed.ts';
import { getContentOverrideNameAuthed } from './get-content-override-name-authed.ts';
import { getContentOverrideName } from './get-content-override-name.ts';
import { getContent } from './get-content.ts';
import { uploadContentToMXC } from './upload-content-to-mxc.ts';
import { uploadContent } from './upload-content.ts';

export const mediaEndpoints = [
  createContent,
  getConfigAuthed,
  getConfig,
  getContentAuthed,
  getContentOverrideNameAuthed,
  getContentOverrideName,
  getContent,
  uploadContentToMXC,
  uploadContent,
];
