import { MatrixError } from '../../matrix/errors.ts';
import type { ConfigReload } from '../../platform/config/config-reload.ts';
import { OperatorError } from '../../platform/operator-error.ts';
import { defineEndpoint } from '../endpoint.ts';

/**
 * POST /_veche/admin/v1/reload: reads the configuration again, as SIGHUP does. `changed`: the keys that have another value now.
 * 400 ORG.VECHE.NOT_RELOADED, and nothing has changed: `error` says why, a line for each mistake.
 */
export const reloadConfiguration = defineEndpoint({
  operationId: 'reloadConfiguration',
  method: 'POST',
  path: '/_veche/admin/v1/reload',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: {},
  query: {},
  async handle(_request, { configReload }: { configReload: Pick<ConfigReload, 'reload'> }) {
    try {
      const { changed } = await configReload.reload();
      return { json: { changed: [...changed] } };
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      throw new MatrixError(400, 'ORG.VECHE.NOT_RELOADED', error.message);
    }
  },
});
