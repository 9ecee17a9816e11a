/**
 * The local authority as a Worker, which is the whole of what that takes.
 *
 * @module
 */
import { LocalAuthority } from "@msal-edge/msal/testing";

const authority = new LocalAuthority();

const worker: { fetch(request: Request): Promise<Response> } = { fetch: authority.handler };

export default worker;
