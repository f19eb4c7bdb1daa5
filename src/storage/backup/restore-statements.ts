/** What must change in a database that has gone back in time. The same in both engines. */
export const afterRestore = {
  // claimed ones may be among them, and a one-time key that is used twice lets two sessions share their secrets
  dropOneTimeKeys: 'DELETE FROM one_time_key',
  // positions and ids that were handed out after the backup must not get a second meaning: clients hold sync tokens made of
  // them. There is room for a thousand restores.
  skipNumbers: `UPDATE sequence SET reserved_until = reserved_until + 1073741824 WHERE name IN ('pos', 'id')`,
} as const;
