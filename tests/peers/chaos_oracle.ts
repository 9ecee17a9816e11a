/**
 * What must hold in every chaos run, however it went.
 *
 * @module
 */
import { ChaosRecord, type Deed, type Granted } from "./chaos_record.ts";
import { type Run, USERS } from "./chaos_run.ts";
import { appScopeOf, homeIdOf, SIDES } from "./chaos_wire.ts";

/** Something that must not be. */
export interface Violation {
  readonly rule: string;
  readonly owner: string;
  readonly atMs: number;
  readonly what: string;
}

/** The longest that anything takes: the library's own deadlines. */
const PATIENCE_MS = 120_000;
/** How late a place of Workers KV may see what was written elsewhere. */
const KV_LATE_MS = 60_000;
/** For how long after a removal Workers KV may bring a user back, and take a new one for removed: what is documented. */
const KV_REMOVAL_MS = 120_000;
/** A token is renewed when it has this left. */
const MARGIN_MS = 300_000;
/** By how much a renewal in advance comes early at most. */
const JITTER_MS = 180_000;
/** A call takes no longer: what hurt it then may show at its end. */
const CALL_MS = 30_000;
/** As long as two answers may be under way at once. */
const AT_ONCE_MS = 2_000;
/** From a look into the store to the request at the issuer. */
const LOOK_MS = 1_000;
const TOKEN_LIFE_MS = 3_600_000;

/** Finds what must not be. */
export function judge(run: Run): { record: ChaosRecord; violations: Violation[] } {
  const record = new ChaosRecord(run);
  const checks = [answered, noneLeaks, noneFails, noneComesBack, nothingLost, warned];
  if (run.scene.store === "do") checks.push(renewedOnce, neverReused);
  return { record, violations: checks.flatMap((check) => [...check(record)]) };
}

function violation(rule: string, { owner, atMs }: { owner: string; atMs: number }, what: unknown): Violation {
  return { rule, owner, atMs, what: typeof what === "string" ? what : JSON.stringify(what) };
}

/** Every call ends, and no promise is forgotten. */
function* answered({ deeds, run }: ChaosRecord): Generator<Violation> {
  for (const deed of deeds) {
    const { overMs, atMs, outcome } = deed;
    if (overMs - atMs > PATIENCE_MS) yield violation("every call ends", deed, deed);
    if (outcome?.error?.startsWith("no AuthError")) {
      yield violation("every error is one of the library's", deed, outcome);
    }
  }
  for (const entry of run.log) {
    if (entry.what === "unhandled") {
      yield violation("no rejection is unhandled", { owner: "", atMs: entry.atMs }, entry.reason);
    }
  }
}

/** No token ever reaches somebody else, none is for something else, and each is still good. */
function* noneLeaks(record: ChaosRecord): Generator<Violation> {
  for (const deed of record.deeds) {
    const { operation, outcome, endedMs = 0, owner } = deed;
    if (outcome?.token === undefined || !("scope" in operation)) continue;
    const scope = operation.kind === "client" ? appScopeOf(operation.scope) : record.scopeOf(operation.scope);
    const isTheirs = outcome.token.startsWith(`AT|${owner}|${scope}|`);
    const account = "user" in operation ? homeIdOf(record.run.scene, operation.user) : undefined;
    const hasAccount = outcome.account === account ||
      (outcome.account === undefined && isForgotten(record, deed));
    if (!isTheirs || !hasAccount) {
      yield violation("no token reaches anybody else", deed, outcome);
    }
    if (outcome.expiresAtMs! <= endedMs) yield violation("no token has expired", deed, outcome);
  }
}

/** Whether a token may come without its account: where its user is removed meanwhile, or KV lost the ID token. */
function isForgotten(record: ChaosRecord, { owner, atMs, endedMs = 0 }: Deed): boolean {
  const { store, issuer } = record.run.scene;
  return (store === "kv" && issuer === "rotating") ||
    record.of(owner).some((other) =>
      other.operation.kind === "remove" && other.atMs <= endedMs && other.overMs >= atMs
    );
}

/** Whether somebody is signed in, as far as anybody can know: between two operations that overlap nobody can. */
type Status = "in" | "out" | "unknown";

/** Whether a user was signed in, or out, for the whole of an operation, as seen from where it was done. */
function statusOf(record: ChaosRecord, deed: Deed): Status {
  const isKv = record.run.scene.store === "kv";
  const endMs = Math.min(deed.overMs, deed.endedMs ?? Infinity);
  let status = "unknown" as Status;
  let sinceMs = -Infinity;
  for (const other of record.of(deed.owner)) {
    const { kind } = other.operation;
    if (other.atMs > endMs || other.id === deed.id) continue;
    if (kind !== "sign_in" && kind !== "bring" && kind !== "remove") continue;
    const isSure = other.outcome !== undefined && other.outcome.error === undefined && !other.isAbandoned &&
      !record.isHurt(deed.owner, other.atMs, other.overMs);
    const isOut = kind === "remove";
    const lateMs = isKv ? (isOut ? KV_REMOVAL_MS : KV_LATE_MS) : 0;
    const next = isOut ? "out" : "in";
    // Two that overlap may have been done in either order.
    const isClear = other.atMs > sinceMs || status === next;
    status = isSure && isClear ? next : "unknown";
    sinceMs = Math.max(sinceMs, other.overMs + lateMs);
  }
  return deed.atMs > sinceMs ? status : "unknown";
}

/** Nobody sees an error while there is a token for them that can be had. */
function* noneFails(record: ChaosRecord): Generator<Violation> {
  const { store, issuer } = record.run.scene;
  for (const deed of record.deeds) {
    const { operation: { kind }, outcome, owner, atMs, endedMs = 0 } = deed;
    if (outcome?.error === undefined) continue;
    const rule = "no error while there is a usable token";
    if (kind === "client" || kind === "sign_in" || kind === "bring") yield violation(rule, deed, outcome);
    // A store that fails now says nothing of what it has.
    if (record.isHurt(owner, atMs, endedMs)) continue;
    if (kind === "remove") yield violation("removal works where the store does", deed, outcome);
    // Without a lock two isolates may spend one refresh token: that is what the event warns of.
    if (kind !== "silent" || (store === "kv" && issuer === "rotating")) continue;
    if (statusOf(record, deed) !== "in" || isSpent(record, deed)) continue;
    yield violation(rule, deed, outcome);
  }
}

/** Whether the issuer's one good refresh token may have been lost on the way: nobody can help that. */
function isSpent(record: ChaosRecord, deed: Deed): boolean {
  if (record.run.scene.issuer === "reusable") return false;
  const since = record.of(deed.owner).findLast(({ operation: { kind }, overMs }) =>
    (kind === "sign_in" || kind === "bring") && overMs <= deed.atMs
  );
  return record.isHurt(deed.owner, since?.atMs ?? 0, deed.atMs);
}

/** Who was removed does not come back. */
function* noneComesBack(record: ChaosRecord): Generator<Violation> {
  const rule = "a removed user does not come back";
  for (const deed of record.deeds) {
    const { operation: { kind }, outcome, owner, atMs } = deed;
    if (kind !== "silent" || outcome?.token === undefined || statusOf(record, deed) !== "out") continue;
    const removal = record.of(owner).findLast((other) =>
      other.operation.kind === "remove" && other.overMs <= atMs
    )!;
    const isHere = removal.side === deed.side && removal.isolate === deed.isolate;
    // Another isolate may hand out from its memory what it had, until that ends; nothing new.
    const isOld = outcome.source === "cache" && !isHere && atMs - removal.overMs < TOKEN_LIFE_MS;
    // Who asks while an older call is under way gets the answer of that.
    const wasUnderWay = outcome.expiresAtMs! - TOKEN_LIFE_MS <= removal.overMs &&
      atMs - removal.overMs < AT_ONCE_MS && outcome.source === "identity_provider";
    if (isOld || wasUnderWay || mayBringBack(record, removal)) continue;
    yield violation(rule, deed, { outcome, removal: removal.id });
  }
}

/** Without compare-and-set, what was under way elsewhere may write over a removal that it cannot see yet. */
function mayBringBack(record: ChaosRecord, removal: Deed): boolean {
  if (record.run.scene.store !== "kv") return false;
  return record.of(removal.owner).some(({ operation: { kind }, atMs, overMs }) =>
    kind !== "remove" && overMs >= removal.atMs && atMs <= removal.overMs + KV_REMOVAL_MS
  );
}

/** After all is quiet, whoever is signed in has their newest refresh token in the store, and it works. */
function* nothingLost(record: ChaosRecord): Generator<Violation> {
  const { quietMs, scene } = record.run;
  if (scene.store === "kv" && scene.issuer === "rotating") return;
  for (let user = 0; user < USERS; user++) {
    const owner = `user ${user}`;
    const last = record.of(owner).at(-1)!;
    const redeemed = record.grants.findLast((grant) => grant.owner === owner && grant.atMs >= quietMs);
    if (statusOf(record, last) !== "in" || isSpent(record, last)) continue;
    const newest = newestOf(record, owner, quietMs);
    // Whose last write was lost has an older one, which works.
    const isHurt = record.isHurt(owner, newest?.atMs ?? 0, quietMs);
    const isNewest = redeemed?.redeemed === newest?.issued || isHurt || isAsNew(record, redeemed, newest);
    const rule = "each user's newest refresh token is in the store, and works";
    if (!isNewest || last.outcome?.token === undefined) {
      yield violation(rule, last, { redeemed, newest, outcome: last.outcome });
    }
  }
}

function newestOf(record: ChaosRecord, owner: string, untilMs: number): Granted | undefined {
  return record.grants.findLast((grant) =>
    grant.owner === owner && grant.issued !== undefined && grant.atMs < untilMs
  );
}

/** Times are kept in seconds: what came at once is equally new, and of each sign-in the last token works. */
function isAsNew(record: ChaosRecord, redeemed: Granted | undefined, newest: Granted | undefined): boolean {
  const source = record.grants.find(({ issued }) => issued === redeemed?.redeemed);
  if (source === undefined || newest === undefined) return false;
  // Workers KV keeps what was written last, and answers that were under way at once may be written in any order.
  const atOnceMs = record.run.scene.store === "kv" ? KV_REMOVAL_MS : AT_ONCE_MS;
  return Math.abs(source.atMs - newest.atMs) < atOnceMs;
}

/** Whoever lets tokens of such an issuer be spent twice is told; nobody else is. */
function* warned({ run }: ChaosRecord): Generator<Violation> {
  const { store, issuer } = run.scene;
  const count =
    run.log.filter((entry) => entry.what === "event" && entry.type === "store_without_lock").length;
  const isDue = store === "kv" && issuer === "rotating";
  if (isDue ? count < SIDES.length : count > 0) {
    yield violation("store_without_lock is told where it is so", { owner: "", atMs: 0 }, `${count} events`);
  }
}

/** With compare-and-set and a lock, what has expired is renewed once. */
function* renewedOnce(record: ChaosRecord): Generator<Violation> {
  const last = new Map<string, Granted[]>();
  for (const grant of record.grants) {
    if (grant.refused !== undefined) continue;
    const key = `${grant.owner} ${grant.scope}`;
    const granted = last.get(key) ?? [];
    const before = granted.at(-1);
    last.set(key, [...granted.slice(-4), grant]);
    const { grantType, owner, atMs } = grant;
    if (before === undefined || grantType === "authorization_code") continue;
    // Of two that came at once either may be the one that is known.
    const known = granted.filter((one) => before.atMs - one.atMs < AT_ONCE_MS);
    if (atMs >= Math.min(...known.map(freshUntilMs)) || record.isHurt(owner, before.atMs - CALL_MS, atMs)) {
      continue;
    }
    if (record.of(owner).some((deed) => isReason(deed, before, grant))) continue;
    yield violation("what has expired is renewed once", grant, { before, grant });
  }
}

/** Until when nobody has a reason to renew a token. */
function freshUntilMs({ expiresAtMs = 0, refreshAtMs = Infinity }: Granted): number {
  return Math.min(expiresAtMs - MARGIN_MS, refreshAtMs - JITTER_MS);
}

/** Whether an operation is why a token was asked for although there was one. */
function isReason({ operation, atMs, overMs }: Deed, before: Granted, grant: Granted): boolean {
  const { kind } = operation;
  if (atMs > grant.atMs) return false;
  // What was asked for before it is not kept.
  if (kind === "remove") return overMs >= before.atMs - AT_ONCE_MS;
  // It asks in any case; and what it brings is missed by whoever looked before it was written.
  const isOwn = kind === "sign_in" || kind === "bring" || (kind === "silent" && operation.forced);
  return isOwn && overMs >= grant.atMs - LOOK_MS;
}

/** With compare-and-set and a lock, no refresh token is spent twice. */
function* neverReused(record: ChaosRecord): Generator<Violation> {
  for (const grant of record.grants) {
    if (grant.refused === undefined) continue;
    const { owner, atMs } = grant;
    if (record.isHurt(owner, bornMs(record, grant), atMs)) continue;
    yield violation("no refresh token is spent twice", grant, grant);
  }
}

/** When the first token of a refused one's family was issued, or came: what was lost since then may have ended all of them. */
function bornMs({ grants }: ChaosRecord, refused: Granted): number {
  let first = refused;
  for (;;) {
    const { redeemed } = first;
    const before = grants.find((one) => one !== first && one.issued === redeemed) ??
      grants.find((one) => one.redeemed === redeemed);
    if (redeemed === undefined || before === undefined || before === first) return first.atMs;
    first = before;
  }
}
