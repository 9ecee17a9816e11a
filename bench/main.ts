/**
 * What the library costs: cached tokens beside MSAL Node and a bare map, and bundles beside MSAL Node's.
 *
 * ```sh
 * deno task bench
 * ```
 *
 * Times are medians of rounds in which the parties take turns; the ratios are what counts, they hold on any machine.
 *
 * @module
 */
import { formatReport, makeBundles } from "../tools/bundle_report.ts";
import { formatRoutes, measureRoutes } from "./guarded_routes.ts";
import { type HitCosts, measureHits } from "./silent_hits.ts";
import { measureStores, type StoreCosts } from "./store_hits.ts";
import { measureUsers, type UserCosts } from "./user_hits.ts";

/** How many tokens, and how often MSAL Node is asked: its cost grows with the cache. */
const SIZES: [tokens: number, msalNodeCalls: number][] = [[1, 2_000], [1_000, 60], [100_000, 3]];
/** The same for the accounts of users. */
const ACCOUNTS: [accounts: number, msalNodeCalls: number][] = [[1, 1_000], [1_000, 30], [5_000, 5]];

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => index === 0 ? cell.padEnd(52) : cell.padStart(14)).join("");
}

function nanoseconds(value: number): string {
  return value < 10_000 ? `${value.toFixed(0)} ns` : `${(value / 1e6).toFixed(2)} ms`;
}

function printCosts(costs: readonly HitCosts[]): void {
  console.log("A cached app token, time for each call");
  console.log(row(["tokens in the cache", ...costs.map(({ tokens }) => tokens.toLocaleString("en"))]));
  const lines: [string, (cost: HitCosts) => number | undefined][] = [
    ["msal-edge, the same token", (cost) => cost.same],
    ["  a bare async Map.get and a clock read", (cost) => cost.bareSame],
    ["msal-edge, any of the tokens", (cost) => cost.random],
    ["  a bare async Map walk of that size", (cost) => cost.bareRandom],
    ["@azure/msal-node, the same token", (cost) => cost.msalNode],
  ];
  for (const [name, pick] of lines) {
    console.log(row([name, ...costs.map((cost) => nanoseconds(pick(cost) ?? NaN))]));
  }
}

function printRatios(costs: readonly HitCosts[]): void {
  const [one] = costs;
  const many = costs.at(-1);
  if (one === undefined || many === undefined) return;
  console.log("\nRatios");
  const times = (value: number): string => `${value.toFixed(1)}x`;
  const lines: [string, string, string][] = [
    ["the rate at 1 token, of MSAL Node's", times((one.msalNode ?? NaN) / one.same), "at least 40x"],
    ["the time at 1 token, of the bare map's", times(one.same / one.bareSame), "at most 8x"],
    ["the same token at 100,000, of the time at 1", times(many.same / one.same), "at most 1.5x"],
    ["any token at 100,000, of the bare walk's", times(many.random / many.bareRandom), "at most 2x"],
  ];
  for (const line of lines) console.log(row(line));
}

function printUsers(costs: readonly UserCosts[]): void {
  console.log("\nA signed-in user's cached token, time for each call");
  console.log(row(["accounts in the cache", ...costs.map(({ accounts }) => accounts.toLocaleString("en"))]));
  const lines: [string, (cost: UserCosts) => number | undefined][] = [
    ["msal-edge, the same user", (cost) => cost.same],
    ["msal-edge, any of the users", (cost) => cost.random],
    ["@azure/msal-node, the same user", (cost) => cost.msalNode],
    ["msal-edge, one more user signs in, network apart", (cost) => cost.add],
  ];
  for (const [name, pick] of lines) {
    console.log(row([name, ...costs.map((cost) => nanoseconds(pick(cost) ?? NaN))]));
  }
  const [one] = costs;
  const many = costs.at(-1);
  if (one === undefined || many === undefined) return;
  const times = (value: number): string => `${value.toFixed(1)}x`;
  const ratios: [string, string, string][] = [
    ["the same user at 1,000, of the time at 1", times((costs[1]?.same ?? NaN) / one.same), "at most 1.5x"],
    ["the same user at 5,000, of the time at 1", times(many.same / one.same), "at most 1.5x"],
    ["a sign-in at 5,000, of the time at 1", times(many.add / one.add), "at most 1.5x"],
    ["the rate at 1 account, of MSAL Node's", times((one.msalNode ?? NaN) / one.same), ""],
    ["the rate at 5,000 accounts, of MSAL Node's", times((many.msalNode ?? NaN) / many.same), ""],
  ];
  for (const line of ratios) console.log(row(line));
}

function printStores(stores: readonly StoreCosts[]): void {
  console.log("\nA cold silent hit: a new application over a store, time for each call");
  const sizes = stores[0]?.costs.map(({ accounts }) => accounts.toLocaleString("en")) ?? [];
  console.log(row(["accounts in the store", ...sizes]));
  for (const { name, costs } of stores) {
    console.log(row([name, ...costs.map(({ time }) => nanoseconds(time))]));
  }
  console.log("\nReads of the store and bytes for each call");
  console.log(row(["accounts in the store", ...sizes]));
  for (const { name, costs } of stores) {
    const cells = costs.map(({ reads, bytes }) => `${reads} / ${Math.round(bytes).toLocaleString("en")}`);
    console.log(row([name, ...cells]));
  }
  const named = (part: string): StoreCosts | undefined => stores.find(({ name }) => name.includes(part));
  const [edge, node] = [named("memory"), named("plug-in over memory")];
  if (edge === undefined || node === undefined) return;
  const times = (index: number): string =>
    `${((node.costs[index]?.time ?? NaN) / (edge.costs[index]?.time ?? NaN)).toFixed(1)}x`;
  console.log(row(["the rate over memory, of MSAL Node's", ...sizes.map((_, index) => times(index))]));
}

console.log(`Deno ${Deno.version.deno}, V8 ${Deno.version.v8}\n`);
// Not counted: the compilers warm up on it.
await measureHits(10, 200);
const costs: HitCosts[] = [];
for (const [tokens, msalNodeCalls] of SIZES) {
  console.error(`measuring with ${tokens} tokens ...`);
  costs.push(await measureHits(tokens, msalNodeCalls));
}
printCosts(costs);
printRatios(costs);
await measureUsers(10, 20);
const users: UserCosts[] = [];
for (const [accounts, msalNodeCalls] of ACCOUNTS) {
  console.error(`measuring with ${accounts} accounts ...`);
  users.push(await measureUsers(accounts, msalNodeCalls));
}
printUsers(users);
printStores(await measureStores([1, 100, 1_000]));
console.error("measuring guarded routes ...");
console.log(`\n${formatRoutes([await measureRoutes("deno"), await measureRoutes("workerd")])}`);
console.log("\nBundles");
console.log(formatReport(await makeBundles()));
