import { sendToDevice } from './send-to-device.ts';

export const toDeviceEndpoints = [sendToDevice];
