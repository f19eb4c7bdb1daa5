import { getContentForServer } from './get-content.ts';
import { getContentThumbnailForServer } from './get-content-thumbnail.ts';

export const federationMediaEndpoints = [getContentForServer, getContentThumbnailForServer];
