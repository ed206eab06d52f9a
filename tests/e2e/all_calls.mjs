// A client in plain JavaScript, written from docs/protocol.md alone: it goes through every call.
// Run by test_javascript_client.py: node all_calls.mjs URL SERVER_TOKEN

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { io } = require("socket.io-client");

const [url, serverToken] = process.argv.slice(2);
const called = new Set();

/** One connection: calls that give the acknowledgement, and the events that came, in order. */
class Connection {
  constructor(token) {
    this.events = [];
    this.waiting = [];
    this.live = [];
    this.socket = io(url, { auth: { token }, transports: ["websocket"], reconnection: false });
    this.socket.on("event", (event) => {
      this.events.push(event);
      for (const look of this.waiting) look();
    });
    this.socket.on("live", (picture, taken) => {
      this.live.push(picture);
      taken(); // the next one comes after that
    });
  }

  /** What `live` has shown until `holds` does. */
  async shown(holds) {
    for (let i = 0; i < 1000; i++) {
      if (holds(this.live)) return this.live;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`live was not enough: ${JSON.stringify(this.live.slice(-3))}`);
  }

  opened() {
    return new Promise((resolve, reject) => {
      this.socket.once("connect", () => resolve(this));
      this.socket.once("connect_error", reject);
    });
  }

  /** The acknowledgement as it is, ok or not. */
  async raw(name, fields = {}) {
    called.add(name);
    return await this.socket.timeout(20_000).emitWithAck(name, fields);
  }

  /** For calls that have to succeed. */
  async call(name, fields = {}) {
    const answer = await this.raw(name, fields);
    assert.equal(answer.ok, true, `${name}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  /** For calls that have to be refused with this code, and with words for a person. */
  async refused(code, name, fields = {}) {
    const answer = await this.raw(name, fields);
    assert.equal(answer.ok, false, `${name} was not refused`);
    assert.equal(answer.error.code, code, `${name}: ${answer.error.message}`);
    assert.ok(answer.error.message.length > 0 && answer.error.hint.length > 0, name);
    return answer.error;
  }

  /** The first event of this type for which `matches` holds; waits for it when it is not there yet. */
  async event(type, matches = () => true) {
    const find = () => this.events.find((e) => e.type === type && matches(e.data));
    return await new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`no ${type} within 20 s`)), 20_000);
      const look = () => {
        const found = find();
        if (!found) return;
        clearTimeout(limit);
        this.waiting = this.waiting.filter((other) => other !== look);
        resolve(found);
      };
      this.waiting.push(look);
      look();
    });
  }

  async run(session, code) {
    const { execution } = await this.call("execute", { session, code });
    const finished = await this.event("execution.finished", (d) => d.execution === execution);
    return { execution, status: finished.data.status };
  }
}

const owner = await new Connection(serverToken).opened();

// --- the server and its sessions
const info = await owner.call("server.info");
for (const field of ["version", "python", "pyodide", "node", "watcher", "isolation", "limits", "features"])
  assert.ok(field in info, `server.info has no ${field}`);

const created = await owner.call("session.create", { name: "from JavaScript" });
const { session } = created;
assert.equal(created.role, "owner");
assert.deepEqual(Object.keys(created.tokens).sort(), ["editor", "owner", "viewer"]);
assert.equal(created.state.name, "from JavaScript");
const listed = (await owner.call("session.list")).sessions.find((s) => s.session === session);
assert.equal(listed.name, "from JavaScript");
await owner.call("session.rename", { session, name: "renamed" });
await owner.event("session.renamed", (data) => data.name === "renamed");

// --- execute, and what comes of it
const own = await owner.call("execute", { session, code: "x = 41\nprint('hello')\nx + 1", execution: "mine-1" });
assert.deepEqual([own.execution, own.number], ["mine-1", 1]);
await owner.event("execution.finished", (d) => d.execution === "mine-1" && d.status === "ok");
assert.equal((await owner.event("stream")).data.text, "hello\n");
assert.equal((await owner.event("execute_result")).data.bundle["text/plain"], "42");
const changed = await owner.event("variables.changed", (d) => d.changes.some((c) => c.name === "x"));
assert.equal(changed.data.changes.find((c) => c.name === "x").variable.value, 41);
const again = await owner.call("execute", { session, code: "x = 41\nprint('hello')\nx + 1", execution: "mine-1" });
assert.equal(again.number, 1, "the same id is executed once, however often it is sent");
const executions = (await owner.call("execution.list", { session, limit: 10 })).executions;
assert.deepEqual(executions.map((e) => e.execution), ["mine-1"]);
const text = await owner.call("output.read", { session, execution: "mine-1", offset: 0, limit: 4 });
assert.deepEqual([text.chunks.map((c) => c.text).join(""), text.total], ["hell", 6]);

assert.equal((await owner.run(session, "1/0")).status, "error");
const error = await owner.event("error");
assert.equal(error.data.name, "ZeroDivisionError");
assert.equal(error.data.line, 1);

const loop = await owner.call("execute", { session, code: "while True: pass" });
await owner.event("execution.started", (d) => d.execution === loop.execution);
await owner.call("interrupt", { session, execution: loop.execution });
const stopped = await owner.event("execution.finished", (d) => d.execution === loop.execution);
assert.equal(stopped.data.status, "interrupted");

const asking = await owner.call("execute", { session, code: "name = input('Who? ')\nname" });
const question = await owner.event("input.requested", (d) => d.execution === asking.execution);
assert.deepEqual([question.data.prompt, question.data.password], ["Who? ", false]);
await owner.call("input.reply", { session, request: question.data.request, text: "Grace" });
await owner.event("execute_result", (d) => d.bundle["text/plain"] === "'Grace'");

// --- the editor's questions
const completed = await owner.call("complete", { session, code: "prin", cursor: 4 });
assert.ok(completed.matches.some((m) => m.text.startsWith("print")));
assert.deepEqual([completed.start, completed.end], [0, 4]);
const inspected = await owner.call("inspect", { session, code: "len", cursor: 3 });
assert.equal(inspected.found, true);
assert.match(inspected.docstring, /number of items/);
assert.equal((await owner.call("is_complete", { session, code: "for i in x:" })).status, "incomplete");
assert.equal((await owner.call("is_complete", { session, code: "x = 1" })).status, "complete");

// --- variables
await owner.run(session, "units = [{'hp': 10}, {'hp': 7}]\nbig = 2**80");
const units = await owner.call("variable.get", { session, path: ["units"], offset: 0, limit: 1 });
assert.equal(units.variable.type, "list");
assert.equal(units.children.length, 1);
const set = await owner.call("variable.set", {
  session, path: ["units", { index: 1 }, { key: "hp" }], value: 99, when: "now",
});
assert.equal(set.variable.name, "units", "the answer is the variable that the path begins with");
assert.deepEqual(set.variable.value, [{ hp: 10 }, { hp: 99 }]);
await owner.call("variable.set", { session, name: "x", expression: "len(units) * 10" });
assert.equal((await owner.call("variable.get", { session, path: ["x"] })).variable.value, 20);
const version = (await owner.call("variable.get", { session, path: ["x"] })).variable.version;
const conflict = await owner.refused("conflict", "variable.set", {
  session, name: "x", value: 1, if_version: version - 1,
});
assert.ok(conflict, "someone else changed it first");
const big = { $type: "int", value: String(2n ** 81n) };
await owner.call("variable.set", { session, name: "big", value: big });
assert.deepEqual((await owner.call("variable.get", { session, path: ["big"] })).variable.value, big);
assert.equal((await owner.call("variable.repr", { session, path: ["units"] })).text, "[{'hp': 10}, {'hp': 99}]");
const history = await owner.call("variable.history", { session, name: "x", limit: 10 });
assert.ok(history.changes.some((c) => c.value === 41 && c.execution === "mine-1"));
assert.ok(history.changes.some((c) => c.value === 20 && c.execution === null), "set by hand");
await owner.call("variable.delete", { session, name: "big" });
await owner.refused("variable_not_found", "variable.get", { session, path: ["big"] });

// --- while code runs: a picture of now, and where the code is
await owner.call("view.set", { session, names: ["turn"], windows: [{ path: ["units"], offset: 0, limit: 10 }] });
const endless = await owner.call("execute", {
  session, code: "def play(turn):\n  while True: turn += 1; globals()['turn'] = units[0]['hp'] = turn\nplay(0)",
});
const turns = (live) => live.flatMap((l) => l.changes).filter((c) => c.name === "turn").map((c) => c.variable.value);
const patches = (live) => live.flatMap((l) => l.patches);
const live = await owner.shown((all) => new Set(turns(all)).size >= 5 && patches(all).length >= 2);
assert.deepEqual(turns(live), [...turns(live)].sort((a, b) => a - b), "newer ones only");
assert.ok(live.every((l) => l.session === session && l.after_seq > 0));
assert.deepEqual(live.flatMap((l) => l.changes).filter((c) => c.name !== "turn"), []);
assert.deepEqual([patches(live)[0].length, patches(live)[0].total, patches(live)[0].rows.length], [2, 2, 2]);
assert.ok(live.some((l) => l.line?.execution === endless.execution && l.line.line === 2 && l.line.function === "play"));
const { frames } = await owner.call("frames", { session });
assert.deepEqual(frames.map((f) => [f.name, f.line]).slice(0, 2), [["<module>", 3], ["play", 2]]);
assert.equal(frames[1].locals.find((v) => v.name === "turn").type, "int");
await owner.call("view.set", { session, names: [], windows: [] });
await owner.call("interrupt", { session });
await owner.event("execution.finished", (d) => d.execution === endless.execution && d.status === "interrupted");
assert.deepEqual((await owner.call("frames", { session })).frames, []);
await owner.call("variable.set", { session, path: ["units", { index: 0 }, { key: "hp" }], value: 10 });
// --- files of the watched folder
const files = await owner.call("script.list", { session });
assert.deepEqual([files.watching, files.scripts.map((s) => s.path)], [true, ["turns.py"]]);
assert.equal(files.scripts[0].loaded, null);
const loaded = await owner.call("script.load", { session, path: "turns.py" });
assert.deepEqual([loaded.kind, loaded.version], ["script", files.scripts[0].version]);
const loading = await owner.event("execution.queued", (d) => d.execution === loaded.execution);
assert.deepEqual([loading.data.code, loading.data.script.path], ["turns = 3\n", "turns.py"]);
await owner.event("execution.finished", (d) => d.execution === loaded.execution && d.status === "ok");
assert.equal((await owner.call("variable.get", { session, path: ["turns"] })).variable.value, 3);
await owner.call("script.set", { session, path: "turns.py", reload: "auto" });
await owner.event("script.mode", (d) => d.path === "turns.py" && d.reload === "auto");
await owner.refused("bad_request", "script.load", { session, path: "../turns.py" });
// --- watches
await owner.refused("bad_request", "watch.add", { session, expression: "x +" });
const watch = await owner.call("watch.add", { session, expression: "x * 2", condition: "value > 50" });
assert.deepEqual([watch.variable.value, watch.met, watch.error], [40, false, undefined]);
const added = await owner.call("watch.add", { session, expression: " x * 2", condition: "value > 50" });
assert.equal(added.watch, watch.watch, "the same pair is the same watch");
await owner.run(session, "x = 30");
const alert = await owner.event("watch.alert");
assert.deepEqual([alert.data.watch, alert.data.variable.value], [watch.watch, 60]);
const watched = await owner.call("watch.history", { session, watch: watch.watch });
assert.deepEqual(watched.changes.map((c) => c.value), [60, 40]);
const withWatch = (await owner.call("session.join", { session })).state;
assert.deepEqual(withWatch.watches.map((w) => [w.expression, w.met]), [["x * 2", true]]);
assert.equal((await owner.call("watch.remove", { session, expression: "x * 2" })).watch, watch.watch);
await owner.event("watches.changed", (data) => data.watches.length === 0);
await owner.run(session, "x = 20");

// --- limits
const { limits, usage } = await owner.call("session.usage", { session });
assert.ok(limits.variables >= usage.variables && usage.variables > 0);
assert.ok(usage.memory_bytes > 0 && usage.memory_bytes <= limits.memory_bytes);

// --- sharing, and a second person
const shared = await owner.call("session.share", { session, role: "viewer", label: "class", expires_in_s: 600 });
const code = new URL(shared.link).hash.replace("#code=", "");
const exchanged = await fetch(new URL("/api/token", url), {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ code }),
});
assert.equal(exchanged.status, 200);
const guest = await exchanged.json();
assert.deepEqual([guest.session, guest.role], [session, "viewer"]);
const viewer = await new Connection(guest.token).opened();
const joined = await viewer.call("session.join", { session, token: guest.token, name: "Grace" });
assert.equal(joined.role, "viewer");
assert.equal(joined.state.variables.find((v) => v.name === "x").value, 20);
await owner.event("participant.joined", (data) => data.name === "Grace");
await viewer.refused("forbidden", "execute", { session, code: "x = 0" });
await viewer.refused("forbidden", "session.destroy", { session });

const since = joined.seq;
await owner.run(session, "x += 1");
await viewer.event("variables.changed", (d) => d.changes.some((c) => c.variable?.value === 21));
const caughtUp = await viewer.call("session.join", { session, since });
assert.deepEqual(caughtUp.events.map((e) => e.seq)[0], since + 1);
await viewer.call("session.leave", { session });
await owner.event("participant.left");
await viewer.call("session.join", { session, name: "Grace" });
const { participants } = (await owner.call("session.join", { session })).state;
const grace = participants.find((p) => p.name === "Grace");
await owner.call("participant.remove", { session, participant: grace.participant });
await owner.event("participant.left", (data) => data.participant === grace.participant);
const { shares } = await owner.call("session.shares", { session });
assert.ok(shares.some((s) => s.share === shared.share && s.label === "class"));
await owner.call("session.revoke", { session, share: shared.share });
await assert.rejects(new Connection(guest.token).opened(), /unauthorized/);
await assert.rejects(new Connection("wrong").opened(), /unauthorized/);

// --- starting over
await owner.call("restart", { session });
const reset = await owner.event("state.reset", (data) => data.reason === "restarted");
assert.deepEqual(reset.data.variables, []);
assert.equal((await owner.run(session, "x")).status, "error");

// --- calls that the page lists and this server does not offer yet
const later = {
  "session.fork": {}, "session.hibernate": {}, "checkpoint.list": {},
  "checkpoint.restore": { checkpoint: "c" }, "checkpoint.name": { checkpoint: "c", name: "n" },
  "session.bind": { name: "x", table: "t", key: "k" }, // a server without a database beside it
};
for (const [name, fields] of Object.entries(later))
  await owner.refused("not_available", name, { session, ...fields });

await owner.refused("bad_request", "session.unbind", { session, name: "x" });

// --- bad calls change nothing and keep the connection
await owner.refused("session_not_found", "session.join", { session: "abc" });
await owner.refused("bad_request", "execute", { session, code: 7 });
const unknown = await owner.socket.timeout(20_000).emitWithAck("no.such.call", {});
assert.equal(unknown.error.code, "bad_request");

await owner.call("session.destroy", { session });
await owner.event("session.destroyed");
await owner.refused("session_not_found", "session.join", { session });

// --- one ordered stream without holes
const seqs = owner.events.map((event) => event.seq);
assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i), "seq grows by exactly 1");
for (const event of owner.events)
  assert.ok(event.session === session && !Number.isNaN(Date.parse(event.time)) && event.data, event.type);

// --- every call of the page was made
const page = await readFile(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const table = page.slice(page.indexOf("### Calls"), page.indexOf("### Events"));
const promised = [...table.matchAll(/^\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) \|/gm)]
  .flatMap(([, names]) => [...names.matchAll(/`([a-z_.]+)`/g)].map(([, name]) => name));
assert.ok(promised.length > 30, "the table of calls was not found in docs/protocol.md");
assert.deepEqual([...called].sort(), [...new Set(promised)].sort());

owner.socket.close();
viewer.socket.close();
console.log(`${called.size} calls, ${owner.events.length} events`);
