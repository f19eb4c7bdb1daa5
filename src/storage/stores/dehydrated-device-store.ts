/** A user has one dehydrated device at most: table dehydrated_device, beside its row in device. */
import { defineRead, defineWrite } from '../query.ts';

export interface DehydratedDeviceRow {
  readonly device_nid: number;
  readonly device_id: string;
  /** JSON text. */
  readonly json: string;
}

export const dehydratedDevice = defineRead<{ user: number }, DehydratedDeviceRow>('dehydratedDevice.find', (q, p) =>
  q
    .selectFrom('dehydrated_device as h')
    .innerJoin('device as d', 'd.device_nid', 'h.device_nid')
    .select(['h.device_nid', 'd.device_id', 'h.json'])
    .where('h.user_nid', '=', p.user),
);

/** In the place of another one. */
export const setDehydratedDevice = defineWrite<{ user: number; device: number; json: string }>(
  'dehydratedDevice.set',
  (q, p) =>
    q
      .insertInto('dehydrated_device')
      .values({ user_nid: p.user, device_nid: p.device, json: p.json })
      .onConflict((conflict) =>
        conflict
          .column('user_nid')
          .doUpdateSet((e) => ({ device_nid: e.ref('excluded.device_nid'), json: e.ref('excluded.json') })),
      ),
);

export const deleteDehydratedDevices = defineWrite<{ user: number; devices: readonly number[] }>(
  'dehydratedDevice.delete',
  (q, p) =>
    q.deleteFrom('dehydrated_device').where('user_nid', '=', p.user).where('device_nid', 'in', p.list('devices')),
);
