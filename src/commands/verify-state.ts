/**
 * npm run verify-state -- --room ID [--config FILE]: judges every event of a room again and compares with what is stored. The
 * server may run meanwhile. Exit code 1 when something is wrong.
 */
import type { RoomId } from '../matrix/ids/ids.ts';
import { loadConfig } from '../platform/config/config.ts';
import { type RoomReport, verifyRoom } from '../rooms/dag/verify-room.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { openSnapshot } from '../storage/snapshot.ts';
import { readArguments } from './arguments.ts';
import { runCommand } from './run-command.ts';

const SENTENCES_MAX = 50;

/** What people read. */
export function describeReport(roomId: string, report: RoomReport): string[] {
  const { events, taken, extremities, stateKeys, size, problems, differences } = report;
  const lines = [
    `${roomId}: ${events} events were judged again, ${taken} of them by the state that is stored for them.`,
    `The current state has ${stateKeys} events; ${extremities} forward extremities.`,
    `The state log has ${size.rows} rows on ${size.lines} lines, ${size.bytes} bytes.`,
  ];
  if (differences.length > 0) {
    lines.push(`${differences.length} things would come out differently if the events came in now, which is no fault:`);
    lines.push(...shortened(differences));
  }
  if (problems.length === 0) return [...lines, 'Everything is as it should be.'];
  return [...lines, `${problems.length} things are wrong:`, ...shortened(problems)];
}

function shortened(sentences: readonly string[]): string[] {
  const told = sentences.slice(0, SENTENCES_MAX);
  return told.length === sentences.length ? told : [...told, `… and ${sentences.length - told.length} more`];
}

if (import.meta.main)
  await runCommand(async (args) => {
    const { options } = readArguments(args, {
      usage: 'npm run verify-state -- --room ID [--config FILE]',
      options: { room: { type: 'string', isRequired: true }, config: { type: 'string' } },
    });
    const config = loadConfig(options.config);
    const snapshot = await openSnapshot(databaseOptions(config));
    try {
      const report = await verifyRoom(snapshot, options.room as RoomId);
      if (report === undefined) {
        console.error(`This server does not know the room ${options.room}`);
        process.exitCode = 1;
        return;
      }
      console.log(describeReport(options.room, report).join('\n'));
      if (report.problems.length > 0) process.exitCode = 1;
    } finally {
      await snapshot.close();
    }
  });
