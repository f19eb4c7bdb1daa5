/** What a server that is connected to no other network says of them. Application services will bring networks. */
import { type MatrixError, notFound } from '../../../matrix/errors.ts';

export const noSuchProtocol = (): MatrixError => notFound('This server is connected to no network with this protocol');
