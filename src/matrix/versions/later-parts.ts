/**
 * Operations of the Client-Server API that `declaredVersions` does not wait for, each with the part of veche that brings it.
 * A line leaves the table when its operation is served. (docs/decisions: which versions are declared)
 */
export const laterParts: Readonly<Record<string, string>> = {
  'client-server pingAppservice': 'application services',
  'client-server updateAppserviceRoomDirectoryVisibility': 'application services',
  'client-server getAuthMetadata': 'sign-on elsewhere',
  'client-server redirectToSSO': 'sign-on elsewhere',
  'client-server redirectToIdP': 'sign-on elsewhere',
};
