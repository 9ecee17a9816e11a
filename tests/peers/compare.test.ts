/** `@hono/oidc-auth` and Hono's `jwk` beside our middleware: `docs/comparison.md` says what happens, and ours withstands all of it. */
import { assert, assertEquals } from "@std/assert";
import { DOCUMENT, measure, type Tables, withTables } from "./compare_report.ts";

const HOW = "deno run -A tests/peers/compare_report.ts --write";
let measured: Promise<Tables> | undefined;
const tables = (): Promise<Tables> => measured ??= measure();

// Sixty sign-ins and as many tokens, on whatever machine this is.
const timeout = 240_000;

Deno.test({
  name: "our middleware refuses every fault of A.3.2 and A.3.3, and lets in what is good",
  timeout,
  fn: async () => {
    for (const [name, { columns, rows }] of Object.entries(await tables())) {
      const at = columns.indexOf("`@msal-edge/msal/hono`");
      for (const [row, cells] of rows) {
        const cell = cells[at] ?? "**nothing**";
        assert(!cell.includes("**"), `${name}, ${row}: ${cell}`);
      }
    }
    const { sessions, keys } = await tables();
    const our = (table: typeof sessions, row: string) => table?.rows.get(row)?.at(-1);
    assertEquals(
      our(sessions, "10 requests at once when the tokens are over"),
      "renewals: 1, discovery: 0, let in: 10",
    );
    assertEquals(our(keys, "20 good tokens: downloads of the keys"), "1");
    assertEquals(our(keys, "50 tokens with unknown `kid`: downloads of the keys"), "2");
  },
});

Deno.test({
  name: "docs/comparison.md says what was measured",
  timeout,
  fn: async () => {
    const text = await Deno.readTextFile(DOCUMENT);
    assertEquals(withTables(text, await tables()), text, `The document is old: ${HOW}`);
  },
});
