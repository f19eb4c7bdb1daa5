/** The texts that people read in a browser. A part in braces is filled in; see catalogue.ts. */
export const english = {
  'startPage.title': '{serverName}: Matrix server',
  'startPage.running': 'This server is running.',
  'startPage.serverName': 'Server name',
} as const;
