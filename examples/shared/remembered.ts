/**
 * Who signed in when the command line ran before.
 *
 * @module
 */
import { type AccountInfo, isAuthError, type PublicClientApplication } from "@msal-edge/msal";

/** What a command line does for its user. */
interface Task {
  /** Asks the user to sign in, and for what the authority wants besides. */
  signIn(claims: string | undefined): Promise<AccountInfo | null>;
  /** Uses the account. */
  run(account: AccountInfo): Promise<void>;
}

/** Runs a task for whoever is signed in since an earlier run; where nobody is, or not well enough, the user signs in. */
export async function asUser(app: PublicClientApplication, { signIn, run }: Task): Promise<void> {
  const [known] = await app.getAccounts();
  let claims: string | undefined;
  if (known !== undefined) {
    console.log(`Signed in as ${known.username} since an earlier run`);
    try {
      return await run(known);
    } catch (error) {
      // Everything else may be better another time: whoever is signed in stays so.
      if (!isAuthError(error) || error.name !== "InteractionRequiredAuthError") throw error;
      console.log(`${known.username} has to sign in again`);
      claims = (error as { claims?: string }).claims;
    }
  }
  const account = await signIn(claims);
  if (account !== null) await run(account);
}

/** Forgets everybody's tokens; at the authority, and in the browser, they stay signed in. */
export async function signOut(app: PublicClientApplication): Promise<void> {
  const accounts = await app.getAccounts();
  for (const account of accounts) await app.removeAccount(account);
  const names = accounts.map(({ username }) => username).join(", ");
  console.log(accounts.length === 0 ? "Nobody is signed in" : `Signed out ${names}`);
}
