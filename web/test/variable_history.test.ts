import assert from "node:assert/strict";
import { test } from "node:test";

import { downsample } from "../src/downsampling.ts";
import { numberOf, parts, pythonText } from "../src/exact_value.ts";
import { folded, lineDiff, type DiffLine } from "../src/line_diff.ts";
import type { HistoryChange } from "../src/messages.ts";
import { differenceOf, extremes, facts, merged, nearest, placeOf, pointOf, pointsIn, shortNumber, type Point } from "../src/variable_history.ts";
import { event, TIME, variable } from "./pictures.ts";
import { forSeeds } from "./random.ts";

const NAN = { $type: "float", value: "nan" };

function point(seq: number, value: unknown, change: Partial<HistoryChange> = {}): Point {
  const type = value === null ? "NoneType" : typeof value === "number" ? "float" : "object";
  return pointOf({
    seq, time: TIME, nth: seq, op: "set", execution: "e1", number: 1, line: seq, author: "Ada", type,
    preview: value === null ? "None" : pythonText(value), value, ...change,
  });
}

function series(...values: unknown[]): Point[] {
  return values.map((value, index) => point(index + 1, value));
}

test("a peak of one value among ten thousand is still drawn", () => {
  const amounts = Array.from({ length: 10_000 }, () => 1);
  amounts[7123] = 50;
  amounts[20] = -3;
  const { lines } = downsample(amounts, 300);
  const dots = lines.flat();
  assert.ok(dots.length <= 600);
  assert.deepEqual(dots.filter(({ value }) => value !== 1), [{ index: 20, value: -3 }, { index: 7123, value: 50 }]);
});

test("few values are all drawn, and what is no finite number interrupts the line", () => {
  const amounts = [1, 2, Number.NaN, 3, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 4];
  const { lines, gaps } = downsample(amounts, 100);
  assert.deepEqual(lines.map((line) => line.map(({ value }) => value)), [[1, 2], [3], [4]]);
  assert.deepEqual(gaps.map(({ index, kind }) => [index, kind]), [[2, "nan"], [4, "none"], [5, "inf"], [6, "-inf"]]);
  assert.deepEqual(downsample([], 100), { lines: [], gaps: [] });
});

test("whatever the numbers, the extremes are drawn, in order, at most two a column", () => {
  forSeeds(200, (random) => {
    const amounts = Array.from({ length: 1 + random.below(3000) }, () =>
      random.below(50) === 0 ? random.pick([null, Number.NaN]) : random.below(1000) - 500);
    const columns = 1 + random.below(400);
    const { lines, gaps } = downsample(amounts, columns);
    const dots = lines.flat();
    assert.ok(dots.length <= 2 * columns && gaps.length <= columns);
    assert.ok(dots.every(({ index, value }) => amounts[index] === value));
    assert.ok(dots.every(({ index }, at) => at === 0 || index > (dots[at - 1]?.index ?? 0)));
    const finite = amounts.filter((each) => each !== null && Number.isFinite(each)) as number[];
    if (finite.length === 0) return;
    assert.equal(Math.min(...dots.map(({ value }) => value)), Math.min(...finite));
    assert.equal(Math.max(...dots.map(({ value }) => value)), Math.max(...finite));
  });
});

test("facts are the first time of each, in the order they happened", () => {
  const found = facts(series(1, -2, NAN, null, -5, NAN, "text"));
  assert.deepEqual(found.map(({ title, point: { seq } }) => [title, seq]), [
    ["First negative", 2], ["First became NaN", 3], ["First became object", 3], ["First became None", 4],
  ]);
  assert.deepEqual(facts(series(1, 2, 3)), []);
  const deleted = point(3, null, { op: "delete", type: null, preview: null });
  assert.deepEqual(facts([point(1, 1), deleted]).map(({ title }) => title), ["First deleted"]);
  assert.deepEqual(facts(series({ $type: "float", value: "-inf" })).map(({ title }) => title),
    ["First became infinite", "First negative"]);
});

test("extremes leave out what is not finite", () => {
  const found = extremes(series(NAN, 3, null, -1, 9, { $type: "float", value: "inf" }));
  assert.deepEqual([found?.lowest.seq, found?.highest.seq], [4, 5]);
  assert.equal(extremes(series(NAN, null)), null);
});

test("numbers of every kind are numbers", () => {
  assert.equal(numberOf(true, "bool", "True"), 1);
  assert.equal(numberOf({ $type: "int", value: "-0x10" }, "int", ""), -16);
  assert.equal(numberOf({ $type: "int", value: `1${"0".repeat(400)}` }, "int", ""), null);
  assert.equal(numberOf(null, "float64", "np.float64(-1.5e-3)"), -0.0015);
  assert.equal(numberOf(null, "Decimal", "Decimal('12.50')"), 12.5);
  assert.ok(Number.isNaN(numberOf(null, "float32", "np.float32(nan)")));
  for (const [type, preview] of [["NoneType", "None"], ["Fraction", "Fraction(1, 2)"], ["str", "'12'"], ["int64", "[1]"]]) {
    assert.equal(numberOf(null, type ?? "", preview ?? ""), null);
  }
});

test("two numbers differ by subtraction and ratio, exactly where they are ints", () => {
  assert.deepEqual(differenceOf(point(1, 2), point(2, 5)), { kind: "numbers", difference: "+3", ratio: "2.5" });
  assert.deepEqual(differenceOf(point(1, 0), point(2, -0.5)), { kind: "numbers", difference: "−0.5", ratio: null });
  const big = { $type: "int", value: String(2n ** 80n) };
  const bigger = { $type: "int", value: String(2n ** 80n + 1n) };
  assert.deepEqual(differenceOf(point(1, big), point(2, bigger)), { kind: "numbers", difference: "+1", ratio: "1" });
});

test("where one is no finite number, or of another type, both are shown as they are", () => {
  const rows = (before: Point, after: Point) => {
    const difference = differenceOf(before, after);
    return difference.kind === "parts" ? difference.rows.map((row) => "text" in row ? row.sign + row.text : "") : difference.kind;
  };
  assert.deepEqual(rows(point(1, 1), point(2, NAN)), ["-1", "+nan"]);
  assert.deepEqual(rows(point(1, NAN), point(2, NAN)), "same");
  assert.deepEqual(rows(point(1, [1, 2], { type: "list" }), point(2, -4)), ["-[1, 2]", "+-4"]);
  assert.deepEqual(rows(point(1, 1), point(2, null, { op: "delete", type: null })), ["-1", "+deleted"]);
});

test("two containers differ by their elements, two texts by their lines", () => {
  const lists = differenceOf(point(1, [1, 2, 3]), point(2, [1, 9, 3, "x"]));
  assert.deepEqual(lists, { kind: "parts", rows: [
    { sign: "=", text: "1" }, { sign: "-", text: "2" }, { sign: "+", text: "9" }, { sign: "=", text: "3" }, { sign: "+", text: "'x'" },
  ] });
  const dicts = differenceOf(point(1, { a: 1, b: [2] }), point(2, { a: 1, b: [3] }));
  assert.deepEqual(dicts, { kind: "parts", rows: [
    { sign: "=", text: "'a': 1" }, { sign: "-", text: "'b': [2]" }, { sign: "+", text: "'b': [3]" },
  ] });
  const texts = differenceOf(point(1, "one\ntwo"), point(2, "one\nthree"));
  assert.deepEqual(texts.kind === "parts" && texts.rows.map(({ sign }) => sign), ["=", "-", "+"]);
  assert.deepEqual(differenceOf(point(1, [1]), point(2, [1])), { kind: "same" });
});

test("without exact values the previews are compared", () => {
  const [old, now] = ["<Unit a>", "<Unit b>"].map((preview, at) => point(at + 1, null, { type: "Unit", preview }));
  assert.deepEqual(differenceOf(old as Point, now as Point), { kind: "parts", rows: [
    { sign: "-", text: "<Unit a>" }, { sign: "+", text: "<Unit b>" },
  ] });
});

test("taking out and putting in makes the one of the other, whatever they are", () => {
  forSeeds(300, (random) => {
    const lines = () => Array.from({ length: random.below(30) }, () => random.pick(["a", "b", "c", "d"]));
    const [before, after] = [lines(), lines()];
    const diff = lineDiff(before, after);
    const without = (sign: DiffLine["sign"]) => diff.filter((each) => each.sign !== sign).map(({ text }) => text);
    assert.deepEqual(without("+"), before);
    assert.deepEqual(without("-"), after);
  });
});

test("texts too long to be compared line by line are shown as replaced, at once", () => {
  const [before, after] = ["a", "b"].map((letter) => Array.from({ length: 4000 }, (_, at) => `${letter}${at}`));
  const diff = lineDiff(["same", ...before ?? []], ["same", ...after ?? []]);
  assert.deepEqual([diff.length, diff[0]?.sign, diff[1]?.sign, diff.at(-1)?.sign], [8001, "=", "-", "+"]);
});

test("what is the same for long is counted, and the lines beside a difference stay", () => {
  const before = Array.from({ length: 40 }, (_, at) => `${at}`);
  const rows = folded(lineDiff(before, before.with(20, "new")));
  assert.deepEqual(rows.map((row) => "count" in row ? row.count : row.sign + row.text),
    [18, "=18", "=19", "-20", "+new", "=21", "=22", 17]);
  assert.equal(folded(lineDiff(before, before)).length, 1);
});

test("values are written as Python would", () => {
  assert.equal(pythonText({ a: [true, null, 1.5], "it's": { $type: "tuple", value: [1] } }), "{'a': [True, None, 1.5], \"it's\": (1,)}");
  assert.equal(pythonText({ $type: "dict", value: [[1, { $type: "set", value: [] }]] }), "{1: set()}");
  assert.deepEqual(parts({ $type: "set", value: [1, 2] }), ["1", "2"]);
  assert.deepEqual(parts({ $type: "dict", value: [[1, 2]] }), ["1: 2"]);
  assert.deepEqual(parts({ $type: "bytes", value: "YQ==" }), ["bytes YQ=="]);
});

test("live changes join those that were read, each once and in order", () => {
  const change = { op: "set" as const, name: "x", variable: variable("x", "5"), execution: "e2", line: 3, author: "Ben" };
  const live = pointsIn([
    event(8, "variables.changed", { running: true, changes: [change, { ...change, name: "y" }] }),
    event(9, "stream", { execution: "e2", name: "stdout", text: "x" }),
  ], "x", 3, (execution) => execution === "e2" ? 2 : null);
  assert.deepEqual(live.map(({ seq, nth, number, line, author }) => [seq, nth, number, line, author]), [[8, 4, 2, 3, "Ben"]]);
  const read = series(1, 2, 3);
  assert.deepEqual(merged(read, live).map(({ seq }) => seq), [1, 2, 3, 8]);
  assert.deepEqual(merged(merged(read, live), [...read, ...live]).map(({ seq }) => seq), [1, 2, 3, 8]);
  assert.deepEqual(merged(live, read).map(({ seq }) => seq), [1, 2, 3, 8]);
});

test("a place stays with its change, or the one before where that was let go", () => {
  const points = [2, 4, 9].map((seq) => point(seq, 1));
  assert.deepEqual([1, 2, 3, 4, 8, 9, 99].map((seq) => placeOf(points, seq)), [0, 0, 0, 1, 1, 2, 2]);
  assert.deepEqual([0, 2, 3.1, 6, 7, 99].map((nth) => nearest(points, nth)), [0, 0, 1, 1, 2, 2]);
});

test("numbers are as short as helps", () => {
  assert.deepEqual([0, 0.1 + 0.2, 123456.7891, 1e20, 0.00001234, -1.5].map(shortNumber),
    ["0", "0.3", "123456.8", "1.000e+20", "1.234e-5", "-1.5"]);
});
