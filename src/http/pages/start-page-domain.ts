import type { Config } from '../../platform/config/config.ts';
import type { Clock } from '../../platform/ports.ts';
import type { HealthDomain } from '../health/health.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import type { StartPageAccounts } from './start-page-accounts.ts';

export interface StartPageSettings {
  readonly serverName: string;
  readonly publicBaseUrl: string;
  readonly registration: 'open' | 'token' | 'closed';
  readonly passwordLengthMin: number;
}

/** What the start page needs of the composition root. */
export interface StartPageDomain extends HealthDomain {
  readonly software: { readonly name: string; readonly version: string };
  readonly startPage: {
    readonly settings: StartPageSettings;
    readonly accounts: StartPageAccounts;
    readonly rateLimiter: RateLimiter | undefined;
    readonly clock: Pick<Clock, 'nowMs'>;
  };
}

export function startPageSettings(
  config: Pick<Config, 'serverName' | 'publicBaseUrl' | 'registration' | 'password'>,
): StartPageSettings {
  const { enabled, requireToken } = config.registration;
  return {
    serverName: config.serverName,
    publicBaseUrl: config.publicBaseUrl,
    registration: !enabled ? 'closed' : requireToken ? 'token' : 'open',
    passwordLengthMin: config.password.minimumLength,
  };
}
