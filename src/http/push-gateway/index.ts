import { discoverPushGateway } from './discover-push-gateway.ts';
import { notify } from './notify.ts';

export const pushGatewayEndpoints = [notify, discoverPushGateway];
