import { getNotifications } from './get-notifications.ts';

export const notificationEndpoints = [getNotifications];
