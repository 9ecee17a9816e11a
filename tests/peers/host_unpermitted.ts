/**
 * Opens a loopback receiver on Deno with the permissions that this process was given, and prints what came of it.
 *
 * @module
 */
import { LoopbackReceiver } from "../../src/host/mod.ts";

const receiver = new LoopbackReceiver({ print: () => console.log("printed"), timeoutMs: 200 });
try {
  const listener = await receiver.open();
  await listener.receive({ authUri: "https://login.example/authorize", state: "s" });
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  console.log(`${code}: ${message}`);
}
