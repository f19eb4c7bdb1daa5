import { getEmailConfirmation } from './get-email-confirmation.ts';
import { getTerms } from './get-terms.ts';
import { getAccountRenewal } from './get-account-renewal.ts';
import { postAccountRenewal } from './post-account-renewal.ts';
import { getLoginFallback } from './get-login-fallback.ts';
import { getStage } from './get-stage.ts';
import { postStage } from './post-stage.ts';
import { getStartPage } from './get-start-page.ts';
import { postEmailConfirmation } from './post-email-confirmation.ts';
import { postStartPage } from './post-start-page.ts';

/** What apps open that do not know a way to authenticate. */
export const fallbackPageEndpoints = [getStage, postStage, getLoginFallback];
export const pageEndpoints = [getStartPage, postStartPage];
/** What clients link to when people register. */
export const termsPageEndpoints = [getTerms];
/** What links in e-mails lead to. */
export const emailPageEndpoints = [getEmailConfirmation, postEmailConfirmation, getAccountRenewal, postAccountRenewal];
