import { it } from 'vitest';
import { describeOnBothEngines, onSqlite } from '../../support/databases.ts';
import { liveWithSliding } from './model/sliding-world.ts';

describeOnBothEngines('clients of sliding sync', (engine) => {
  it.each([1, 2, 3, 4])('know in the end what /sync tells (seed %i)', { timeout: 60_000 }, async (seed) => {
    await liveWithSliding(await engine.open(), { seed, actions: 120 });
  });
});

onSqlite('clients of sliding sync over HTTP', (engine) => {
  it.each([11, 12])('know in the end what /sync tells (seed %i)', { timeout: 60_000 }, async (seed) => {
    await liveWithSliding(await engine.open(), { seed, actions: 200, isOverHttp: true });
  });
});
