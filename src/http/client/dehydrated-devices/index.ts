import { deleteDehydratedDevice } from './delete-dehydrated-device.ts';
import { getDehydratedDeviceEvents } from './get-dehydrated-device-events.ts';
import { getDehydratedDevice } from './get-dehydrated-device.ts';
import { postDehydratedDeviceEvents } from './post-dehydrated-device-events.ts';
import { putDehydratedDevice } from './put-dehydrated-device.ts';

export const dehydratedDeviceEndpoints = [
  deleteDehydratedDevice,
  getDehydratedDeviceEvents,
  getDehydratedDevice,
  postDehydratedDeviceEvents,
  putDehydratedDevice,
];
