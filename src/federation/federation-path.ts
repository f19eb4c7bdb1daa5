/**
 * The path of a request to another server, without a query: federationPath`/_matrix/federation/v1/backfill/${roomId}`. Every
 * parameter is percent-encoded. Throws URIError for a parameter that is not well-formed Unicode; identifiers are.
 */
export function federationPath(fixed: TemplateStringsArray, ...parameters: readonly string[]): string {
  let path = fixed[0] ?? '';
  for (const [index, parameter] of parameters.entries()) path += encodeParameter(parameter) + (fixed[index + 1] ?? '');
  return path;
}

/** A segment of dots alone would be taken for a way up. */
function encodeParameter(parameter: string): string {
  return parameter === '.' || parameter === '..' ? parameter.replaceAll('.', '%2E') : encodeURIComponent(parameter);
}
