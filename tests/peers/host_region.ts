/**
 * Prints what the environment of this process makes of the Azure region.
 *
 * @module
 */
import { azureRegion } from "../../src/host/mod.ts";

for (const setting of [undefined, true, false, "westus"]) {
  try {
    console.log(String(azureRegion(setting)));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    console.log(`${code}: ${message}`);
  }
}
