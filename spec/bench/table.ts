import { type Measurement, isMet } from './measurement.ts';
import { referenceSignUs } from './reference.ts';

const columns = ['scenario', 'what', 'unit', 'measured', 'normalised', 'at most', ''] as const;

/** One line for each measurement; the last line says how many targets were missed. */
export function renderTable(measurements: readonly Measurement[]): string {
  const rows = [columns, ...measurements.map(cells)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column >= 3 && column <= 5 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const judged = measurements.map(isMet).filter((met) => met !== undefined);
  const missed = judged.filter((met) => !met).length;
  const verdict = `${missed} of ${judged.length} targets missed. Normalised: as where a reference signature takes ${referenceSignUs} µs.`;
  return [...lines, '', verdict].join('\n');
}

function cells(measurement: Measurement): string[] {
  const { scenario, what, unit, value, normalised, atMost } = measurement;
  const met = isMet(measurement);
  return [
    scenario,
    what,
    unit,
    figure(value),
    normalised === undefined ? '' : figure(normalised),
    atMost === undefined ? '' : figure(atMost),
    met === undefined ? '' : met ? 'ok' : 'MISSED',
  ];
}

/** Three digits that matter. */
function figure(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
