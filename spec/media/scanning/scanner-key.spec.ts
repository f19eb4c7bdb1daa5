import { expect, it } from 'vitest';
import { ScannerKey } from '../../../src/media/scanning/scanner-key.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';

describeOnBothEngines('the key of the content scanner', (engine) => {
  it('is made once, and is the same after a restart', async () => {
    const db = await engine.open({ reopenable: true });
    const key = new ScannerKey(db, testPorts(1).random);
    const [first, same] = await Promise.all([key.get(), key.get()]);
    expect(same.publicKey).toBe(first.publicKey);
    const later = new ScannerKey(await engine.reopen(db), testPorts(2).random);
    expect((await later.get()).publicKey).toBe(first.publicKey);
  });
});
