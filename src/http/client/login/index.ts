import { generateLoginToken } from './generate-login-token.ts';
import { getLoginFlows } from './get-login-flows.ts';
import { login } from './login.ts';
import { logoutAll } from './logout-all.ts';
import { logout } from './logout.ts';
import { refresh } from './refresh.ts';

export const loginEndpoints = [getLoginFlows, login, generateLoginToken, refresh, logout, logoutAll];
