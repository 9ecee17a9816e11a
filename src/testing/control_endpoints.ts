/**
 * Faults and the log over HTTP, for an authority in another process.
 *
 * @module
 */
import type { Engine } from "./engine.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import { checkedFault, type Fault } from "./faults.ts";

const PREFIX = "/.local/";

/** Whether a request is for a control endpoint. */
export function isControlPath(url: string): boolean {
  return new URL(url).pathname.startsWith(PREFIX);
}

function answer(body: unknown, status: number): Response {
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
  return new Response(body === undefined ? null : JSON.stringify(body), { status, headers });
}

/** JSON has no infinity, so the string `"Infinity"` stands for it. */
function faultOf(incoming: Incoming): Fault {
  const type = incoming.headers.get("content-type") ?? "";
  // Web pages of other origins can post forms and plain text to a loopback port, but not JSON.
  if (!/^application\/json\b/i.test(type)) {
    throw new TypeError('Cannot set a fault: "content-type" must be JSON');
  }
  const sent: unknown = JSON.parse(new TextDecoder().decode(incoming.body));
  const fault = Object(sent) as Record<string, unknown>;
  return checkedFault(fault["times"] === "Infinity" ? { ...fault, times: Infinity } : sent);
}

function addFault(engine: Engine, incoming: Incoming): Response {
  try {
    engine.faults.add(faultOf(incoming));
    return answer({ ok: true }, 201);
  } catch (cause) {
    return answer({ error: cause instanceof TypeError ? cause.message : "Cannot set a fault: no JSON" }, 400);
  }
}

/** Answers `POST` and `DELETE /.local/faults`, `GET` and `DELETE /.local/requests`. */
export async function answerControl(engine: Engine, request: Request): Promise<Response> {
  const incoming = await readIncoming(request, () => []);
  switch (`${incoming.method} ${incoming.url.pathname}`) {
    case `POST ${PREFIX}faults`:
      return addFault(engine, incoming);
    case `DELETE ${PREFIX}faults`:
      engine.faults.clear();
      return answer(undefined, 204);
    case `GET ${PREFIX}requests`:
      return answer(engine.log.entries, 200);
    case `DELETE ${PREFIX}requests`:
      engine.log.clear();
      return answer(undefined, 204);
    default:
      return answer({ error: "not_found" }, 404);
  }
}
