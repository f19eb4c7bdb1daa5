/**
 * Operations that `declaredVersions` does not wait for, each with its area: clients ask for these areas in other ways, or
 * programs other than clients call them. An area leaves the list when it is served.
 */
export const notCounted: Readonly<Record<string, string>> = {
  'client-server createContent': 'media',
  'client-server uploadContentToMXC': 'media',
  'client-server getConfigAuthed': 'media',
  'client-server getContentAuthed': 'media',
  'client-server getContentOverrideNameAuthed': 'media',
  'client-server getContentThumbnailAuthed': 'media',
  'client-server getUrlPreviewAuthed': 'media',
  'server-server getContent': 'media',
  'server-server getContentThumbnail': 'media',
  'application-service ping': 'application services',
  'client-server pingAppservice': 'application services',
};
