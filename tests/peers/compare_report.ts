/**
 * Measures the compared libraries and writes the tables of `docs/comparison.md`:
 * `deno run -A tests/peers/compare_report.ts --write`.
 *
 * @module
 */
import { GUARDS, TOKEN_FAULTS, tryToken } from "./compare_bearer.ts";
import { SIGN_IN_FAULTS, trySignIn } from "./compare_sign_in.ts";
import { SITES } from "./compare_sites.ts";
import { GUARD_STATES, SITE_STATES } from "./compare_state.ts";
import { inWorld, LET_IN, World } from "./compare_world.ts";

/** A table: the columns, and the cells of each row by its name. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** The tables by their names in the document. */
export type Tables = Readonly<Record<string, Table>>;

interface Row {
  readonly name: string;
  readonly isGood?: boolean;
}

/** Cells of one name and column: the worst of them, and every status that there was. */
function together(cells: readonly string[]): string {
  const letIn = cells.find((cell) => cell.startsWith(LET_IN));
  if (letIn !== undefined || cells.length === 1) return letIn ?? cells[0]!;
  const statuses = [...new Set(cells.map((cell) => /\d+/.exec(cell)?.[0] ?? cell))];
  return `refused (${statuses.join(", ")})`;
}

/** What is bold was not to happen. */
function marked(cell: string, { isGood }: Row): string {
  if (isGood) return cell.startsWith(LET_IN) ? "let in" : `**${cell}**`;
  return cell;
}

async function faultTable<S, R extends Row>(
  subjects: Readonly<Record<string, S>>,
  faults: readonly R[],
  attempt: (subject: S, fault: R) => Promise<string>,
): Promise<Table> {
  const rows = new Map<string, string[]>();
  for (const name of new Set(faults.map((fault) => fault.name))) {
    const same = faults.filter((fault) => fault.name === name);
    const cells: string[] = [];
    for (const subject of Object.values(subjects)) {
      const tried: string[] = [];
      for (const fault of same) tried.push(marked(await attempt(subject, fault), fault));
      cells.push(together(tried));
    }
    rows.set(name, cells);
  }
  return { columns: Object.keys(subjects), rows };
}

async function stateTable<S>(
  subjects: Readonly<Record<string, S>>,
  states: Readonly<Record<string, (world: World, subject: S) => Promise<string>>>,
  makeWorld: () => World,
): Promise<Table> {
  const rows = new Map<string, string[]>();
  for (const [name, find] of Object.entries(states)) {
    const cells: string[] = [];
    for (const subject of Object.values(subjects)) {
      const world = makeWorld();
      cells.push(await inWorld(world, () => find(world, subject)));
    }
    rows.set(name, cells);
  }
  return { columns: Object.keys(subjects), rows };
}

/** Measures everything. */
export async function measure(): Promise<Tables> {
  const world = new World();
  // Access tokens are over when they come: what renews early renews at each call, what waits until the end at each, too.
  const shortLived = new World({ tokenLifetimeSeconds: 60 });
  const faults = {
    "sign-in": await inWorld(
      world,
      () => faultTable(SITES, SIGN_IN_FAULTS, (site, fault) => trySignIn(world, site, fault)),
    ),
    "access tokens": await inWorld(
      world,
      () => faultTable(GUARDS, TOKEN_FAULTS, (guard, fault) => tryToken(world, guard, fault)),
    ),
  };
  return {
    ...faults,
    sessions: await stateTable(SITES, SITE_STATES, () => shortLived),
    keys: await stateTable(GUARDS, GUARD_STATES, () => world),
  };
}

/** The document. */
export const DOCUMENT: URL = new URL("../../docs/comparison.md", import.meta.url);

function place(name: string): RegExp {
  return new RegExp(`(<!-- measured: ${name} -->\n\n)[^]*?(\n\n<!-- end -->)`);
}

/** A table as Markdown, formatted as `deno fmt` does. */
function toMarkdown({ columns, rows }: Table): string {
  const lines = [["", ...columns], ...[...rows].map(([name, cells]) => [name, ...cells])];
  const widths = lines[0]!.map((_, at) => Math.max(3, ...lines.map((line) => line[at]!.length)));
  const [head = "", ...body] = lines.map((line) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`
  );
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
}

/** The document with these tables in it. */
export function withTables(text: string, tables: Tables): string {
  return Object.entries(tables).reduce((result, [name, table]) => {
    if (!place(name).test(result)) throw new Error(`docs/comparison.md has no place for "${name}"`);
    return result.replace(place(name), (_, before, after) => before + toMarkdown(table) + after);
  }, text);
}

if (import.meta.main) {
  const text = await Deno.readTextFile(DOCUMENT);
  const measured = withTables(text, await measure());
  if (Deno.args.includes("--write")) await Deno.writeTextFile(DOCUMENT, measured);
  else console.log(measured);
}
