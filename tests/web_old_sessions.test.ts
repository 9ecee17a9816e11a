/** A sign-in ends the session that the browser had, also where the answer comes without its cookie: R-135. */
import { assertEquals } from "@std/assert";
import { test } from "./support/suite.ts";
import { PEOPLE, type Visitor, WebScene } from "./support/web_scene.ts";

/** How many sessions the store has. */
function recordsOf({ store }: WebScene): { readonly count: number } {
  const keys = new Set<string>();
  const { set, delete: remove } = store;
  store.set = (key, ...rest) => {
    if (key.startsWith("msal-edge.session.v1.")) keys.add(key);
    return set.call(store, key, ...rest);
  };
  store.delete = (key) => {
    keys.delete(key);
    return remove.call(store, key);
  };
  return {
    get count() {
      return keys.size;
    },
  };
}

/** A browser with the cookies that another one has now. */
function copyOf(scene: WebScene, { cookies }: Visitor): Visitor {
  const copy = scene.another();
  for (const [name, cookie] of cookies) copy.cookies.set(name, cookie);
  return copy;
}

const BOB = { username: PEOPLE[1].username };

for (const responseMode of ["query", "form_post"] as const) {
  for (const sameSite of ["Lax", "Strict"] as const) {
    const how = `${responseMode}, ${sameSite}`;
    const sceneOf = () => new WebScene({ onServer: true, web: { responseMode, cookies: { sameSite } } });

    test(`a new sign-in ends the old session for every copy of its cookie: ${how} (R-135)`, async () => {
      const scene = sceneOf();
      const records = recordsOf(scene);
      await scene.signIn();
      const copy = copyOf(scene, scene.visitor);
      await scene.comeBack(await scene.visitor.post("/auth/switch-account"), BOB);
      assertEquals((await scene.visitor.visit("/open")).text, PEOPLE[1].username);
      assertEquals([(await copy.visit("/open")).text, records.count], ["nobody", 1]);
    });

    test(`a sign-in that comes to nothing ends no session: ${how}`, async () => {
      const scene = sceneOf();
      await scene.signIn();
      const sent = await scene.visitor.post("/auth/switch-account");
      const { status } = await scene.comeBack(sent, { ...BOB, decline: true });
      assertEquals([status, (await scene.visitor.visit("/open")).text], [403, PEOPLE[0].username]);
    });
  }
}
