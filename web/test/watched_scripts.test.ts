import assert from "node:assert/strict";
import { test } from "node:test";

import type { ScriptEntry, ScriptListReply } from "../src/messages.ts";
import { concerns, offered, standing, WatchedScripts } from "../src/watched_scripts.ts";
import { event } from "./pictures.ts";

function entry(fields: Partial<ScriptEntry>): ScriptEntry {
  return { path: "a.py", version: "v2", loaded: "v1", kind: "script", reload: "ask", importable: true, ...fields };
}

test("a file is behind when the session has another version of it than the disk", () => {
  assert.deepEqual(standing(entry({})), { word: "changed on disk", isBehind: true });
  assert.deepEqual(standing(entry({ loaded: "v2" })), { word: "loaded", isBehind: false });
  assert.deepEqual(standing(entry({ loaded: null })), { word: "not loaded", isBehind: false });
  assert.deepEqual(standing(entry({ version: null })), { word: "deleted", isBehind: false });
});

test("each version is offered once, and what reloads by itself is not", () => {
  const scripts = [entry({}), entry({ path: "b.py", reload: "auto" }), entry({ path: "c.py", loaded: "v2" })];
  assert.deepEqual(offered(scripts, new Set()).map((each) => each.path), ["a.py"]);
  assert.deepEqual(offered(scripts, new Set(["a.py@v2"])), []);
  assert.equal(offered([entry({ version: "v3" })], new Set(["a.py@v2"])).length, 1);
});

test("only events that can change the list make the page ask for it", () => {
  const queued = { execution: "e", number: 1, code: "", author: null };
  const script = { path: "a.py", version: "v1", kind: "script", reload: "ask" } as const;
  assert.equal(concerns(event(1, "execution.queued", queued)), false);
  assert.equal(concerns(event(1, "execution.queued", { ...queued, script })), true);
  assert.equal(concerns(event(1, "script.changed", { path: "a.py", version: "v2", kind: "script" })), true);
  assert.equal(concerns(event(1, "stream", { execution: "e", name: "stdout", text: "" })), false);
});

test("many events ask once, and a server that watches nothing is not asked", async () => {
  let asked = 0;
  const reply: ScriptListReply = { watching: true, scripts: [entry({})], refused: [] };
  const watched = new WatchedScripts(async () => {
    asked += 1;
    return reply;
  });
  const changed = event(1, "script.changed", { path: "a.py", version: "v2", kind: "script" });
  watched.receive(changed);
  await watched.refresh();
  assert.equal(asked, 1);
  for (let times = 0; times < 50; times += 1) watched.receive(changed);
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(asked, 2);
  assert.deepEqual(watched.offers.value.map((each) => each.path), ["a.py"]);
  watched.answer(entry({}));
  assert.deepEqual(watched.offers.value, []);
  watched.close();
});
