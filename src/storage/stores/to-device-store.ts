/** Messages that wait for a device of a local user: table to_device. A device has at most one with a position. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface ToDeviceRow {
  readonly pos: number;
  readonly json: string;
}

/** In the order of arrival. */
export const toDeviceMessages = defineRead<{ device: number; after: number; upTo: number; limit: number }, ToDeviceRow>(
  'toDevice.read',
  (q, p) =>
    q
      .selectFrom('to_device')
      .select(['pos', 'json'])
      .where('device_nid', '=', p.device)
      .where('pos', '>', p.after)
      .where('pos', '<=', p.upTo)
      .orderBy('pos')
      .limit(bigint(p.limit)),
);

export interface InboxRow {
  readonly device_nid: number;
  readonly messages: number;
  readonly oldest: number;
  readonly newest: number;
}

/** Of those devices that have messages. */
export const inboxesOfDevices = defineRead<{ devices: readonly number[] }, InboxRow>('toDevice.inboxes', (q, p) =>
  q
    .selectFrom('to_device')
    .select((e) => [
      'device_nid',
      e.fn.countAll<number>().as('messages'),
      e.fn.min('pos').as('oldest'),
      e.fn.max('pos').as('newest'),
    ])
    .where('device_nid', 'in', p.list('devices'))
    .groupBy('device_nid'),
);

/** A message for those of the devices that are still there. */
export const insertToDeviceMessage = defineWrite<{ devices: readonly number[]; pos: number; json: string }>(
  'toDevice.insert',
  (q, p) =>
    q
      .insertInto('to_device')
      .columns(['device_nid', 'pos', 'json'])
      .expression(
        q
          .selectFrom('device')
          .select(['device_nid', bigint(p.pos).as('pos'), sql<string>`cast(${p.json} as text)`.as('json')])
          .where('device_nid', 'in', p.list('devices')),
      ),
);

/** What the device has received. */
export const deleteToDeviceMessagesUpTo = defineWrite<{ device: number; pos: number }>('toDevice.deleteUpTo', (q, p) =>
  q.deleteFrom('to_device').where('device_nid', '=', p.device).where('pos', '<=', p.pos),
);

/** All but the newest `kept` messages of a device. */
export const trimToDeviceMessages = defineWrite<{ device: number; kept: number }>('toDevice.trim', (q, p) =>
  q
    .deleteFrom('to_device')
    .where('device_nid', '=', p.device)
    .where('pos', '<=', (e) =>
      e
        .selectFrom('to_device as t')
        .select('t.pos')
        .where('t.device_nid', '=', p.device)
        .orderBy('t.pos', 'desc')
        .limit(1)
        .offset(bigint(p.kept)),
    ),
);

export const deleteToDeviceMessagesOf = defineWrite<{ devices: readonly number[] }>('toDevice.deleteOf', (q, p) =>
  q.deleteFrom('to_device').where('device_nid', 'in', p.list('devices')),
);
