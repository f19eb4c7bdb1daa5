/** What must change in a database that has gone back in time. The same in both engines. */
export const afterRestore = {
  // claimed ones may be among them, and a one-time key that is used twice lets two sessions share their secrets
  dropOneTimeKeys: 'DELETE FROM one_time_key',
  // positions and ids that were handed out after the backup must not get a second meaning: clients hold sync tokens made of
  // them. There is room for a thousand restores.
  skipNumbers: `UPDATE sequence SET reserved_until = reserved_until + 1073741824 WHERE name IN ('pos', 'id')`,
  // what other servers have told of their users' keys since the backup will not be told again. Backups of before have no such table
  doubtRemoteKeys: 'UPDATE remote_device_list SET stale_pos = 1',
} as const;

export const remoteKeysTable = 'remote_device_list';
