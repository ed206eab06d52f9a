import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { encodeBlob, encodeMessage, FrameReader } from "../src/frames.mjs";
import { Host } from "../src/host.mjs";

const TICK = 16;
const golden = JSON.parse(
  fs.readFileSync(new URL("../../tests/vectors/host_messages.json", import.meta.url), "utf8"),
);

/** A host with a kernel by hand: its entries only note that they were called. */
class Scene {
  /** @type {any[]} */
  sent = [];
  /** @type {string[]} */
  calls = [];
  reader = new FrameReader();

  constructor() {
    const control = {
      poll() {},
      write: (/** @type {Uint8Array} */ frame) => {
        for (const each of this.reader.receiveData(frame))
          this.sent.push(each.kind === "message" ? each.message : each);
      },
    };
    const streams = { flush() {}, poll() {}, finish() {}, own() {}, limit() {} };
    const safePoints = { restart() {} };
    this.host = new Host(/** @type {any} */ ({ control, streams, safePoints, pollMs: 10_000, variables: 100 }));
    const entry = (/** @type {string} */ name) => async (/** @type {any[]} */ ...args) => {
      this.calls.push([name, ...args].join(" "));
      return 0;
    };
    /** @type {any} */
    const kernel = { rung: "ctypes-watcher", python: "3.14.2" };
    for (const name of ["execute", "serve", "interrupt", "tick", "step"]) kernel[name] = entry(name);
    this.host.attach(kernel, () => 1000);
    this.kernel = this.host.forKernel();
  }

  /**
   * @param {any} message
   * @param {boolean} [isPolled]
   */
  receive(message, isPolled = false) {
    this.host.receiveData(encodeMessage(message), isPolled);
  }

  /** @param {number} id */
  execute(id, isPolled = false) {
    this.receive({ type: "execute", request_id: id, number: id, code: "x", store_history: true }, isPolled);
  }

  /**
   * @param {number} id
   * @param {number} [attempt]
   */
  interrupt(id, attempt = 1, isPolled = false) {
    this.receive({ type: "interrupt", request_id: id, attempt }, isPolled);
  }

  /** @param {string} type */
  of(type) {
    return this.sent.filter((message) => message.type === type);
  }
}

test("every golden message to the host is taken", async () => {
  for (const message of golden.to_host) {
    const scene = new Scene();
    scene.receive(message);
    await turn();
    assert.deepEqual(scene.of("fatal"), []);
  }
});

test("what the host sends itself has the fields of the golden messages", () => {
  const scene = new Scene();
  scene.host.ready({ pyodide: "314.0.7", image: true });
  scene.execute(7);
  scene.interrupt(7);
  scene.kernel.delivered();
  scene.kernel.finish("interrupted", 1.5);
  for (const message of scene.sent) {
    const like = golden.from_host.find((/** @type {any} */ each) => each.type === message.type);
    assert.deepEqual(Object.keys(message).sort(), Object.keys(like).sort());
  }
  assert.deepEqual(scene.sent.map(({ type }) => type), ["ready", "interrupt_ack", "finished"]);
});

test("executions run one after another", async () => {
  const scene = new Scene();
  scene.execute(1);
  scene.execute(2);
  assert.deepEqual(scene.calls, ["execute 1 1 x true"]);
  scene.kernel.finish("ok", 1);
  await turn();
  assert.deepEqual(scene.calls, ["execute 1 1 x true", "execute 2 2 x true"]);
});

test("nothing is started while Python runs: the event loop does that", async () => {
  const scene = new Scene();
  scene.execute(1, true);
  assert.deepEqual(scene.calls, []);
  await turn();
  assert.deepEqual(scene.calls, ["execute 1 1 x true"]);
});

test("queries wait for the kernel to take them, in order", () => {
  const scene = new Scene();
  scene.execute(1);
  for (const id of [5, 6]) scene.receive({ type: "query", request_id: id, op: "ping", args: {} }, true);
  assert.equal(scene.kernel.due() & 1, 1);
  const taken = [scene.kernel.take(), scene.kernel.take(), scene.kernel.take()];
  assert.deepEqual(taken.map((text) => text && JSON.parse(text).request_id), [5, 6, undefined]);
  assert.equal(scene.kernel.due() & 1, 0);
});

test("an interrupt is due until it is delivered, then acknowledged once for each attempt", () => {
  const scene = new Scene();
  scene.execute(7);
  scene.interrupt(7, 1, true);
  scene.interrupt(7, 2, true);
  assert.deepEqual([scene.kernel.pressed(), scene.of("interrupt_ack").length], [7, 0]);
  assert.equal(scene.host.poll(performance.now()), 62);
  scene.kernel.delivered();
  assert.deepEqual(scene.of("interrupt_ack").map(({ attempt }) => attempt), [2]);
  scene.interrupt(7, 3, true);
  assert.deepEqual([scene.kernel.pressed(), scene.of("interrupt_ack").at(-1)?.attempt], [0, 3]);
});

test("a new press of the key is a new interrupt", () => {
  const scene = new Scene();
  scene.execute(7);
  scene.interrupt(7, 1, true);
  scene.kernel.delivered();
  scene.interrupt(7, 1, true);
  assert.equal(scene.kernel.pressed(), 7);
});

test("an interrupt that comes too late is acknowledged and reaches nothing", () => {
  const scene = new Scene();
  scene.execute(7);
  scene.kernel.finish("ok", 1);
  scene.execute(8);
  scene.interrupt(7);
  assert.equal(scene.kernel.pressed(), 0);
  assert.deepEqual(scene.of("interrupt_ack"), [{ type: "interrupt_ack", request_id: 7, attempt: 1 }]);
});

test("an interrupt that was not delivered ends with its execution", () => {
  const scene = new Scene();
  scene.execute(7);
  scene.interrupt(7, 1, true);
  scene.kernel.finish("ok", 1);
  scene.execute(8);
  assert.equal(scene.kernel.pressed(), 0);
});

test("an execution that waits behind a task can be interrupted before it begins", async () => {
  const scene = new Scene();
  scene.execute(7, true); // Python runs: a task keeps the event loop
  scene.interrupt(7, 1, true);
  assert.equal(scene.kernel.stray(), 7);
  assert.equal(scene.kernel.due() & 4, 4);
  assert.deepEqual(scene.of("finished").map(({ request_id, status }) => [request_id, status]), [[7, "interrupted"]]);
  await turn();
  assert.deepEqual(scene.calls, []);
  assert.equal(scene.kernel.stray(), 0);
});

test("an interrupt of code that waits goes to the kernel", () => {
  const scene = new Scene();
  scene.execute(7);
  scene.interrupt(7);
  assert.deepEqual(scene.calls, ["execute 7 7 x true", "interrupt"]);
});

test("the first safe point of an execution is due at once, the next after a while", () => {
  const scene = new Scene();
  scene.execute(7);
  assert.equal(scene.kernel.due() & TICK, TICK);
  assert.equal(scene.kernel.due() & TICK, 0);
});

test("a deadline is due when its time has come, and can be taken back", async () => {
  const scene = new Scene();
  scene.kernel.due();
  scene.kernel.deadline(1);
  const end = performance.now() + 3;
  while (performance.now() < end);
  assert.equal(scene.kernel.due() & 8, 8);
  scene.kernel.deadline(0);
  assert.equal(scene.kernel.due() & 8, 0);
});

test("the chunks of a blob are put together for their request", () => {
  const scene = new Scene();
  for (const [id, text] of /** @type {const} */ ([[5, "ab"], [6, "x"], [5, "cd"]]))
    scene.host.receiveData(encodeBlob(id, Buffer.from(text)), false);
  const whole = scene.kernel.take_blob(5);
  assert.equal(whole?.constructor, Uint8Array);
  assert.equal(Buffer.from(whole ?? []).toString(), "abcd");
  assert.equal(scene.kernel.take_blob(5), undefined);
});

for (const [what, data] of [
  ["a message of no known type", encodeMessage({ type: "nonsense" })],
  ["bytes that are no frame", Buffer.from([0, 0, 0, 0])],
])
  test(`${what} is the end`, (t) => {
    const scene = new Scene();
    const exit = t.mock.method(process, "exit", () => {
      throw new Error("exited");
    });
    assert.throws(() => scene.host.receiveData(/** @type {Buffer} */ (data), false), /exited/);
    assert.deepEqual(exit.mock.calls[0]?.arguments, [1]);
    assert.equal(scene.of("fatal").length, 1);
  });

test("it is busy from the first execution to the end of the last", async () => {
  const scene = new Scene();
  assert.equal(scene.host.isBusy, false);
  scene.execute(1);
  scene.execute(2);
  await turn();
  scene.kernel.finish("ok", 1);
  assert.equal(scene.host.isBusy, true);
  await turn();
  scene.kernel.finish("ok", 1);
  assert.equal(scene.host.isBusy, false);
});

test("each process gives another seed", () => {
  const [one, other] = [new Scene(), new Scene()].map((scene) => scene.kernel.entropy());
  assert.notEqual(one, other);
  assert.equal(new Set(one?.split(",")).size, 8);
});
