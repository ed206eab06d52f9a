import assert from "node:assert/strict";
import { test } from "node:test";

import { signal } from "@preact/signals";

import type { HistoryChange, SessionEvent } from "../src/messages.ts";
import { OpenHistory } from "../src/open_history.ts";
import type { OpenSession } from "../src/open_session.ts";
import { event, TIME, variable } from "./pictures.ts";

type Asked = { before_seq?: number; limit: number; values?: boolean };

/** A session whose server has these changes of x, and tells of further ones. */
class Told {
  readonly joined = signal(true);
  readonly session = signal({ executions: [{ execution: "e1", number: 1 }] });
  readonly listeners = new Set<(events: readonly SessionEvent[]) => void>();
  readonly asked: Asked[] = [];
  value: (seq: number) => unknown = (seq) => seq;
  #changes: HistoryChange[] = [];

  constructor(count: number) {
    this.change(count);
  }

  change(count: number): void {
    for (let left = count; left > 0; left--) {
      const seq = this.#changes.length * 2 + 2;
      this.#changes.push({
        seq, time: TIME, nth: this.#changes.length + 1, op: "set", execution: "e1", number: 1, line: 1,
        author: "Ada", type: "int", preview: String(seq), value: seq,
      });
    }
  }

  tell(): void {
    const { seq, preview } = this.#changes.at(-1) as HistoryChange;
    const change = { op: "set" as const, name: "x", execution: "e1", line: 1, author: "Ada",
      variable: { ...variable("x", preview ?? ""), value: this.value(seq) } };
    for (const listener of this.listeners) listener([event(seq, "variables.changed", { running: true, changes: [change] })]);
  }

  async call(_: string, asked: Asked): Promise<{ changes: HistoryChange[]; more: boolean }> {
    this.asked.push(asked);
    const found = this.#changes.filter(({ seq }) => seq < (asked.before_seq ?? Number.POSITIVE_INFINITY));
    const changes = found.slice(-asked.limit).reverse();
    await Promise.resolve();
    return { changes, more: changes.length < found.length };
  }
}

function historyOf(told: Told): OpenHistory {
  return new OpenHistory(told as unknown as OpenSession, "x");
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

function numbers(history: OpenHistory): number[] {
  return history.points.value.map(({ nth }) => nth);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

test("all pages are read once, and what comes afterwards is put behind them", async () => {
  const told = new Told(2500);
  const history = historyOf(told);
  const stop = history.follow();
  await settled();
  assert.deepEqual(numbers(history), upTo(2500));
  assert.deepEqual(told.asked.map(({ before_seq, values }) => [before_seq, values]), [[undefined, false], [3002, false], [1002, false]]);
  told.change(1);
  told.tell();
  assert.deepEqual(numbers(history), upTo(2501));
  stop();
  told.change(1);
  told.tell();
  assert.equal(history.points.value.length, 2501);
});

test("what is told before the first page has come is in it, or behind it, once", async () => {
  const told = new Told(3);
  const history = historyOf(told);
  history.follow();
  told.tell();
  told.change(1);
  told.tell();
  assert.deepEqual(numbers(history), []);
  await settled();
  assert.deepEqual(numbers(history), upTo(4));
  told.tell();
  assert.deepEqual(numbers(history), upTo(4));
});

test("what was missed while the connection was lost is read when it is back", async () => {
  const told = new Told(10);
  const history = historyOf(told);
  history.follow();
  await settled();
  told.joined.value = false;
  told.change(2300);
  told.joined.value = true;
  await settled();
  assert.deepEqual(numbers(history), upTo(2310));
  assert.equal(told.asked.length, 4);
});

test("one looks at the newest until one looks elsewhere, and stays there", async () => {
  const told = new Told(3);
  const history = historyOf(told);
  history.follow();
  await settled();
  const grow = () => {
    told.change(1);
    told.tell();
  };
  grow();
  assert.equal(history.point.value?.nth, 4);
  assert.equal(history.other.value?.nth, 3, "it is compared with the one before");
  history.look(1);
  grow();
  assert.equal(history.point.value?.nth, 2);
  history.comparing.value = history.point.value?.seq ?? null;
  history.look(99);
  grow();
  assert.deepEqual([history.point.value?.nth, history.other.value?.nth], [6, 2]);
  history.look(-5);
  assert.deepEqual([history.point.value?.nth, history.other.value?.nth], [1, 2]);
});

test("the exact value of a change is asked for once", async () => {
  const told = new Told(2);
  const history = historyOf(told);
  history.follow();
  await settled();
  const point = { ...history.points.value[0], value: null, type: "list", amount: null } as (typeof history.points.value)[number];
  assert.equal(history.whole(point), null);
  assert.equal((await history.readWhole(point)).value, 2);
  assert.equal((await history.readWhole(point)).value, 2);
  assert.equal(history.whole(point)?.value, 2);
  assert.deepEqual(told.asked.slice(1), [{ name: "x", before_seq: 3, limit: 1 }]);
});

test("of what a loop tells for hours only the last exact values are held", async () => {
  const told = new Told(1);
  told.value = (seq) => [seq];
  const history = historyOf(told);
  history.follow();
  await settled();
  for (let count = 0; count < 300; count++) {
    told.change(1);
    told.tell();
  }
  const points = history.points.value;
  assert.ok(points.slice(1).every(({ value }) => value === null));
  assert.deepEqual(points.filter((point) => point.nth > 1 && history.whole(point)).length, 100);
  assert.deepEqual(history.whole(points[300] as (typeof points)[number])?.value, [602]);
});
