/**
 * The Worker that runs the cases of the certificates.
 *
 * @module
 */
import { runCases } from "./certificate_program.ts";

export default {
  async fetch(): Promise<Response> {
    return Response.json(await runCases("http://cases.example"));
  },
};
