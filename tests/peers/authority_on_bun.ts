/**
 * The local authority on Bun: prints its origin, and stops when its input ends.
 *
 * @module
 */
import { type BunLike, LocalAuthority } from "@msal-edge/msal/testing";

const { Bun, process } = globalThis as unknown as {
  readonly Bun: BunLike;
  readonly process: { readonly stdin: AsyncIterable<Uint8Array> };
};

const server = await new LocalAuthority().serve(Bun);
console.log(server.origin);
for await (const _ of process.stdin);
await server.close();
