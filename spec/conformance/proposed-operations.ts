/** Operations of accepted proposals, and of others' standards, that no published version of the specification has yet, by operationId. */
export const proposedOperations: ReadonlySet<string> = new Set([
  // MSC4140
  'scheduleDelayedEvent',
  'getDelayedEvent',
  'getDelayedEvents',
  'manageOwnDelayedEvent',
  // MSC4143 and MSC4195
  'getRtcTransports',
  'getLivekitToken',
  'delegateDelayedLeave',
  // The specification has them in its prose only
  'getStage',
  'postStage',
  'getLoginFallback',
  // UnifiedPush
  'discoverPushGateway',
]);
