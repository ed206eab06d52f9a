import assert from "node:assert/strict";
import { test } from "node:test";

import { absoluteLink, hashOf, readAddress } from "../src/address.ts";
import { ago, bytes, count, duration, running, visible } from "../src/format.ts";
import { parseMarkdown } from "../src/markdown.ts";
import { parseOutbox, put, remove, withoutAccepted } from "../src/outbox.ts";
import { MAX_HEIGHT, MessageCount, readMessage } from "../src/sandbox.ts";
import { receive, sessionOf } from "../src/session.ts";
import { emptyState, event } from "./pictures.ts";

test("the address says which screen, and the secrets that are in it", () => {
  assert.deepEqual(readAddress("#token=ab_-9"), { route: { screen: "sessions" }, token: "ab_-9", code: null });
  assert.deepEqual(readAddress("#code=xy"), { route: { screen: "sessions" }, token: null, code: "xy" });
  assert.deepEqual(readAddress("#/s/abc"), { route: { screen: "session", session: "abc" }, token: null, code: null });
  assert.deepEqual(readAddress("").route, { screen: "sessions" });
  assert.deepEqual(readAddress("#/s/%E0%A4%A").route, { screen: "session", session: "%E0%A4%A" });
});

test("a route is found again in the address it makes", () => {
  for (const session of ["abc", "a/b", "ä b"]) {
    assert.deepEqual(readAddress(hashOf({ screen: "session", session })).route, { screen: "session", session });
  }
});

test("a share link keeps the prefix under which a proxy serves the page", () => {
  assert.equal(absoluteLink("/#code=x", "https://h.example/glass/?a=1#/s/abc"), "https://h.example/glass/#code=x");
  assert.equal(absoluteLink("http://127.0.0.1:1/#code=x", "https://h.example/"), "https://h.example/#code=x");
});

test("the outbox is sent in order and forgets what the record shows", () => {
  const outbox = put(put([], "e1", "a"), "e2", "b");
  const session = receive(sessionOf(emptyState()), [
    event(1, "execution.queued", { execution: "e1", number: 1, code: "a", author: null })]);
  assert.deepEqual(withoutAccepted(outbox, session.executions), [{ execution: "e2", code: "b" }]);
  assert.equal(withoutAccepted(outbox, []), outbox);
  assert.deepEqual(remove(outbox, "e2"), [{ execution: "e1", code: "a" }]);
});

test("an outbox that was kept is read back, a broken one is empty", () => {
  assert.deepEqual(parseOutbox(JSON.stringify(put([], "e1", "a"))), [{ execution: "e1", code: "a" }]);
  for (const broken of [null, "", "{", "{}", "[1]", '[{"execution": 1}]']) assert.deepEqual(parseOutbox(broken), []);
});

test("of what a sandbox sends only checked heights and web links mean something", () => {
  assert.deepEqual(readMessage({ kind: "height", height: 1e9 }), { kind: "height", height: MAX_HEIGHT });
  assert.deepEqual(readMessage({ kind: "link", address: "https://a.example/x" }), { kind: "link", address: "https://a.example/x" });
  for (const bad of [null, 1, "ready", {}, { kind: "height", height: NaN }, { kind: "height", height: "9" },
    { kind: "link", address: "javascript:alert(1)" }, { kind: "link", address: "data:text/html,x" },
    { kind: "link", address: "/relative" }, { kind: "link", address: `https://a/${"x".repeat(3000)}` }]) {
    assert.equal(readMessage(bad), null, JSON.stringify(bad));
  }
});

test("Markdown becomes blocks of plain text; markup in it stays text", () => {
  assert.deepEqual(parseMarkdown("# Title\n\nSome *text* <b>`x`</b>\n\n- a\n- b\n\n```py\n<i>\n```"), [
    { kind: "heading", level: 1, content: [{ kind: "text", text: "Title" }] },
    { kind: "paragraph", content: [{ kind: "text", text: "Some " }, { kind: "emphasis", text: "text" },
      { kind: "text", text: " <b>" }, { kind: "code", text: "x" }, { kind: "text", text: "</b>" }] },
    { kind: "list", ordered: false, items: [[{ kind: "text", text: "a" }], [{ kind: "text", text: "b" }]] },
    { kind: "code", text: "<i>" },
  ]);
});

test("only links to the web are links", () => {
  const [paragraph] = parseMarkdown("[a](https://a.example) [b](javascript:alert(1))");
  assert.ok(paragraph?.kind === "paragraph");
  assert.deepEqual(paragraph.content.map((part) => part.kind), ["link", "text"]);
});

test("any text ends as blocks", () => {
  for (const text of ["#", "```", ">", "- ", "* * *", "**", "\n\n", "1) x", "#a\nb"]) parseMarkdown(text);
});

test("sizes and durations are short", () => {
  assert.deepEqual([0, 999, 1000, 12_345, 999_999, 73_400_320].map(bytes),
    ["0 B", "999 B", "1.0 kB", "12 kB", "1.0 MB", "73 MB"]);
  assert.deepEqual([0.2, 3, 999, 1500, 59_000, 61_000, 3_700_000].map(duration),
    ["< 1 ms", "3 ms", "999 ms", "1.5 s", "59 s", "1 min 1 s", "1 h 1 min"]);
  assert.deepEqual([0, 12_340, 90_000].map(running), ["0.0 s", "12.3 s", "1 min 30 s"]);
  assert.equal(count(1, "line"), "1 line");
  assert.equal(count(41_902, "line"), "41,902 lines");
  assert.equal(ago("2026-01-31T12:00:00Z", Date.parse("2026-01-31T12:05:00Z")), "5 min ago");
});

test("a name in which something cannot be seen shows it", () => {
  assert.equal(visible("safe\u202eexe.txt"), "safe\\u{202e}exe.txt");
  assert.equal(visible("a\u200bb\ufe0fc\u3164\x1b\n"), "a\\u{200b}b\\u{fe0f}c\\u{3164}\\u{1b}\\u{a}");
  assert.equal(visible("größe_名前 עברית"), "größe_名前 עברית");
});

test("a sandbox may send as many messages as an animation needs, and no flood", () => {
  const count = new MessageCount();
  for (let at = 0; at < 5000; at += 16) assert.equal(count.isTooMany(at), false);
  let stopped = false;
  for (let n = 0; n < 1000; n++) stopped ||= count.isTooMany(6000);
  assert.equal(stopped, true);
});
