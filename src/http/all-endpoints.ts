/** Everything that is served, area by area. spec/conformance/ compares it with the specification. */
import {
  adminConfigurationEndpoints,
  adminEndpoints,
  adminRoomEndpoints,
  serverNoticeEndpoints,
} from './admin/index.ts';
import { adminFederationEndpoints } from './admin/federation/index.ts';
import { adminMediaEndpoints } from './admin/media/index.ts';
import { accountDataEndpoints } from './client/account-data/index.ts';
import { accountEndpoints } from './client/account/index.ts';
import { capabilitiesEndpoints } from './client/capabilities/index.ts';
import { delayedEventEndpoints } from './client/delayed-events/index.ts';
import { dehydratedDeviceEndpoints } from './client/dehydrated-devices/index.ts';
import { contentScannerEndpoints } from './client/content-scanner/index.ts';
import { deviceEndpoints } from './client/devices/index.ts';
import { directoryEndpoints } from './client/directory/index.ts';
import { eventStreamEndpoints } from './client/events/index.ts';
import { filterEndpoints } from './client/filter/index.ts';
import { keyBackupEndpoints } from './client/key-backup/index.ts';
import { clientKeyEndpoints } from './client/keys/index.ts';
import { loginEndpoints } from './client/login/index.ts';
import { mediaEndpoints } from './client/media/index.ts';
import { resumableUploadEndpoints } from './client/resumable-upload/index.ts';
import { openIdEndpoints } from './client/openid/index.ts';
import { notificationEndpoints } from './client/notifications/index.ts';
import { presenceEndpoints } from './client/presence/index.ts';
import { profileEndpoints } from './client/profile/index.ts';
import { pushRulesEndpoints } from './client/push-rules/index.ts';
import { pusherEndpoints } from './client/pushers/index.ts';
import { registrationEndpoints } from './client/registration/index.ts';
import { relationEndpoints } from './client/relations/index.ts';
import { reportEndpoints } from './client/reports/index.ts';
import { roomEndpoints } from './client/rooms/index.ts';
import { searchEndpoints } from './client/search/index.ts';
import { rtcEndpoints } from './client/rtc/index.ts';
import { serverAdministrationEndpoints } from './client/server-administration/index.ts';
import { spaceEndpoints } from './client/spaces/index.ts';
import { syncEndpoints } from './client/sync/index.ts';
import { threadSubscriptionEndpoints } from './client/thread-subscriptions/index.ts';
import { thirdPartyNetworkEndpoints } from './client/third-party-networks/index.ts';
import { toDeviceEndpoints } from './client/to-device/index.ts';
import { threepidEndpoints } from './client/threepids/index.ts';
import { versionsEndpoints } from './client/versions/index.ts';
import { voipEndpoints } from './client/voip/index.ts';
import type { Endpoint } from './endpoint.ts';
import { federationEndpoints } from './federation/index.ts';
import { healthEndpoints } from './health/index.ts';
import { keysEndpoints } from './keys/index.ts';
import { livekitEndpoints } from './livekit/index.ts';
import { metricsEndpoints } from './metrics/index.ts';
import { emailPageEndpoints, fallbackPageEndpoints, pageEndpoints, termsPageEndpoints } from './pages/index.ts';
import { pushGatewayEndpoints } from './push-gateway/index.ts';
import { wellKnownEndpoints } from './well-known/index.ts';

const areas = [
  ...adminEndpoints,
  ...adminConfigurationEndpoints,
  ...adminRoomEndpoints,
  ...adminFederationEndpoints,
  ...adminMediaEndpoints,
  ...serverNoticeEndpoints,
  ...accountDataEndpoints,
  ...accountEndpoints,
  ...capabilitiesEndpoints,
  ...contentScannerEndpoints,
  ...delayedEventEndpoints,
  ...dehydratedDeviceEndpoints,
  ...deviceEndpoints,
  ...directoryEndpoints,
  ...eventStreamEndpoints,
  ...filterEndpoints,
  ...keyBackupEndpoints,
  ...clientKeyEndpoints,
  ...loginEndpoints,
  ...mediaEndpoints,
  ...resumableUploadEndpoints,
  ...openIdEndpoints,
  ...notificationEndpoints,
  ...presenceEndpoints,
  ...profileEndpoints,
  ...pushRulesEndpoints,
  ...pusherEndpoints,
  ...registrationEndpoints,
  ...relationEndpoints,
  ...reportEndpoints,
  ...roomEndpoints,
  ...searchEndpoints,
  ...rtcEndpoints,
  ...serverAdministrationEndpoints,
  ...spaceEndpoints,
  ...syncEndpoints,
  ...threadSubscriptionEndpoints,
  ...thirdPartyNetworkEndpoints,
  ...toDeviceEndpoints,
  ...threepidEndpoints,
  ...versionsEndpoints,
  ...voipEndpoints,
  ...livekitEndpoints,
  ...federationEndpoints,
  ...healthEndpoints,
  ...keysEndpoints,
  ...metricsEndpoints,
  ...pageEndpoints,
  ...emailPageEndpoints,
  ...fallbackPageEndpoints,
  ...termsPageEndpoints,
  ...pushGatewayEndpoints,
  ...wellKnownEndpoints,
] as const;

/** What all handlers together need: the intersection of what each of them takes. */
export type HttpDomain = DomainOfAll<(typeof areas)[number]>;
type DomainOfAll<One> = (One extends Endpoint<infer Domain> ? (domain: Domain) => void : never) extends (
  domain: infer All,
) => void
  ? All
  : never;

export const allEndpoints: readonly Endpoint<HttpDomain>[] = areas;
