import assert from "node:assert/strict";
import { test } from "node:test";

import type { SessionEvent } from "../src/messages.ts";
import { hasGap, prepend, receive, sessionOf, type Session } from "../src/session.ts";
import { emptyState, event, randomLog, TIME, variable } from "./pictures.ts";
import { forSeeds } from "./random.ts";

const empty = sessionOf(emptyState());

function folded(...events: SessionEvent[]): Session {
  return receive(empty, events);
}

const queued = event(1, "execution.queued", { execution: "e1", number: 1, code: "x = 1", author: "Ana" });
const started = event(2, "execution.started", { execution: "e1", number: 1, code: "x = 1", author: "Ana" });

test("an execution goes from queued over running to its end", () => {
  const end = event(3, "execution.finished", {
    execution: "e1", status: "error", duration_ms: 12.5, checkpoint: null,
  });
  assert.equal(folded(queued).executions[0]?.status, "queued");
  assert.equal(folded(queued, started).executions[0]?.status, "running");
  const [execution] = folded(queued, started, end).executions;
  assert.deepEqual(execution, {
    execution: "e1", number: 1, code: "x = 1", author: "Ana", status: "error", queued_at: TIME,
    started_at: TIME, finished_at: TIME, duration_ms: 12.5, items: [],
  });
});

test("a session that was folded elsewhere is the same as one folded here", () => {
  const here = folded(
    queued, started,
    event(3, "stream", { execution: "e1", name: "stdout", text: "a\n" }),
    event(4, "stream", { execution: "e1", name: "stdout", text: "b\n" }),
    event(5, "execute_result", { execution: "e1", number: 1, bundle: { "text/plain": "1" } }),
    event(6, "variables.changed", { running: false, changes: [
      { op: "set", name: "x", variable: variable("x", "1"), execution: "e1", line: 1, author: null }] }),
  );
  const there = sessionOf({
    ...emptyState(6), variables: [variable("x", "1")],
    executions: [{
      execution: "e1", number: 1, code: "x = 1", author: "Ana", status: "running", queued_at: TIME,
      started_at: TIME, finished_at: null, duration_ms: null, outputs: [
        { type: "stream", name: "stdout", text: "a\nb\n" },
        { type: "execute_result", number: 1, bundle: { "text/plain": "1" } },
      ],
    }],
  });
  assert.deepEqual({ ...here, changedAt: new Map(), risenAt: new Map() }, there);
});

test("an event that is known already changes nothing", () => {
  const once = folded(queued, started);
  assert.equal(receive(once, [queued, started]), once);
});

test("an event of another session changes nothing", () => {
  assert.equal(receive(empty, [{ ...queued, session: "other" }]), empty);
});

test("an event after a gap waits until the gap is filled", () => {
  const waiting = folded(started);
  assert.equal(waiting.seq, 0);
  assert.equal(hasGap(waiting), true);
  const filled = receive(waiting, [queued]);
  assert.equal(filled.seq, 2);
  assert.equal(hasGap(filled), false);
  assert.equal(filled.executions[0]?.status, "running");
});

test("events in any order, doubled and cut into any batches, give what they give in order", () => {
  forSeeds(150, (random) => {
    const log = randomLog(random, 40 + random.below(60));
    const inOrder = receive(empty, log);
    const arriving = random.shuffled([...log, ...log.filter(() => random.below(3) === 0)]);
    let session = empty;
    while (arriving.length) session = receive(session, arriving.splice(0, 1 + random.below(9)));
    assert.deepEqual(session, inOrder);
    assert.equal(session.seq, log.length);
  });
});

test("rejoining after any event with any overlap gives what one connection sees", () => {
  forSeeds(150, (random) => {
    const log = randomLog(random, 60);
    let session = receive(empty, log.slice(0, random.below(60)));
    // The acknowledgement has all after `since`; live events arrive before, between and doubled.
    const since = session.seq;
    session = receive(session, log.slice(since + random.below(5), since + 20));
    session = receive(session, log.slice(since));
    assert.deepEqual(session, receive(empty, log));
  });
});

test("a variable that is deleted is gone, and one that is set is remembered as just changed", () => {
  const x = { op: "set" as const, name: "x", variable: variable("x", "1"), execution: null, line: null, author: null };
  const set = folded(event(1, "variables.changed", { running: false, changes: [x] }));
  assert.equal(set.variables.get("x")?.preview, "1");
  assert.equal(set.changedAt.get("x"), 1);
  const gone = { ...x, op: "delete" as const, variable: null };
  const deleted = receive(set, [event(2, "variables.changed", { running: false, changes: [gone] })]);
  assert.equal(deleted.variables.size, 0);
  assert.equal(deleted.changedAt.size, 0);
});

test("a variable rises once in each execution that changes it", () => {
  const change = (name: string, execution: string | null) =>
    ({ op: "set" as const, name, variable: variable(name, "1"), execution, line: null, author: null });
  const changed = (seq: number, ...changes: ReturnType<typeof change>[]) =>
    event(seq, "variables.changed", { running: true, changes });
  const looping = folded(
    changed(1, change("x", "e1")), changed(2, change("y", "e1")), changed(3, change("x", "e1"), change("y", "e1")),
  );
  assert.deepEqual([looping.risenAt.get("x")?.seq, looping.risenAt.get("y")?.seq], [1, 2]);
  assert.equal(looping.changedAt.get("x"), 3);
  const later = receive(looping, [changed(4, change("x", "e2")), changed(5, change("y", null)), changed(6, change("y", null))]);
  assert.deepEqual([later.risenAt.get("x")?.seq, later.risenAt.get("y")?.seq], [4, 6]);
});

test("a reset replaces all variables and says what came back", () => {
  const restore = [{ name: "f", verdict: "lost" as const, execution: "e1", why: "an open file" }];
  const reset = folded(event(1, "state.reset", {
    reason: "recovered", variables: [variable("y", "2")], watches: [], restore,
  }));
  assert.deepEqual([...reset.variables.keys()], ["y"]);
  assert.deepEqual(reset.restore, { reason: "recovered", seq: 1, entries: restore });
});

test("a question is open until it is answered, cancelled, or its execution ends", () => {
  const asked = { execution: "e1", request: 1, prompt: "name? ", password: false };
  const open = folded(queued, started, event(3, "input.requested", asked));
  assert.equal(open.inputs.length, 1);
  const answer = event(4, "input.answered", { ...asked, text: "Ana", cancelled: false });
  const answered = receive(open, [answer]);
  assert.deepEqual(answered.inputs, []);
  assert.deepEqual(answered.executions[0]?.items, [
    { kind: "input", request: 1, prompt: "name? ", password: false, text: "Ana", state: "answered" }]);
  const ended = receive(open, [event(4, "execution.finished", {
    execution: "e1", status: "interrupted", duration_ms: 1, checkpoint: null })]);
  assert.deepEqual(ended.inputs, []);
  assert.equal((ended.executions[0]?.items[0] as { state: string }).state, "cancelled");
});

test("a display that is updated changes wherever it is shown", () => {
  const show = { execution: "e1", bundle: { "text/plain": "old" }, display_id: "d" };
  const session = folded(
    queued, started, event(3, "display_data", show), event(4, "display_data", show),
    event(5, "update_display_data", { ...show, bundle: { "text/plain": "new" } }),
  );
  const shown = session.executions[0]?.items.map((item) => item.kind === "rich" && item.bundle["text/plain"]);
  assert.deepEqual(shown, ["new", "new"]);
});

test("people who leave are gone, and one who comes again is there once", () => {
  const ana = { participant: "p1", name: "Ana", role: "editor" as const };
  const twice = folded(event(1, "participant.joined", ana), event(2, "participant.joined", ana));
  assert.deepEqual(twice.participants, [ana]);
  assert.deepEqual(receive(twice, [event(3, "participant.left", ana)]).participants, []);
});

test("an unknown event type is passed over, not a gap", () => {
  const unknown = { ...queued, seq: 1, type: "of.tomorrow", data: {} } as unknown as SessionEvent;
  assert.equal(folded(unknown, { ...started, seq: 2 }).seq, 2);
});

test("memory that an event does not name stays known", () => {
  const state = { reason: null, exit: null, watcher: null, grace_s: null };
  const session = folded(
    event(1, "process.state", { ...state, state: "busy", memory_bytes: 7 }),
    event(2, "process.state", { ...state, state: "idle", memory_bytes: null }),
  );
  assert.equal(session.process.memory_bytes, 7);
});

test("earlier executions are put before those that are known, none twice", () => {
  const known = folded({ ...queued, data: { ...queued.data, execution: "e9", number: 9 } } as SessionEvent);
  const old = { execution: "e8", number: 8, code: "1", author: null, status: "ok" as const,
    queued_at: TIME, started_at: TIME, finished_at: TIME, duration_ms: 1, outputs: [] };
  const session = prepend(prepend(known, [old]), [old]);
  assert.deepEqual(session.executions.map((each) => each.number), [8, 9]);
});

test("the watches are those of the last event that told of them", () => {
  const watch = { watch: "w1", expression: "n * 2", version: 1, variable: variable("n * 2", "40") };
  const told = { changed: ["w1"], execution: "e1", line: 3 };
  const added = event(1, "watches.changed", { ...told, watches: [watch] });
  const grown = event(2, "watches.changed", { ...told, watches: [{ ...watch, version: 2, error: "NameError" }] });
  const removed = event(3, "watches.changed", { ...told, watches: [] });
  assert.deepEqual(folded(added, grown).watches.map((each) => [each.version, each.error]), [[2, "NameError"]]);
  assert.deepEqual(folded(added, grown, removed).watches, []);
  assert.deepEqual(sessionOf({ ...emptyState(1), watches: [watch] }).watches, folded(added).watches);
  const reset = event(2, "state.reset", { reason: "restarted", variables: [], watches: [{ watch: "w1", expression: "n * 2" }], restore: [] });
  assert.equal(folded(added, reset).watches[0]?.variable, undefined);
});

test("the variables that follow rows are those that were told last", () => {
  const hp = { name: "hp", table: "arena/unit", key: 3, column: "hp", follows: "arena/unit[3].hp" };
  const bound = event(1, "bindings.changed", { bindings: [hp] });
  const ended = event(2, "bindings.changed", { bindings: [] });
  assert.equal(folded(bound).bindings.get("hp")?.follows, "arena/unit[3].hp");
  assert.equal(folded(bound, ended).bindings.size, 0);
  assert.equal(sessionOf({ ...emptyState(1), bindings: [hp] }).bindings.get("hp"), hp);
});

test("the mirror is as it was last told, and with a server that has none it is gone", () => {
  const away = event(1, "mirror.state", { state: "disconnected", behind_by: 7 });
  const off = event(2, "mirror.state", { state: "off", behind_by: 0 });
  assert.equal(empty.mirror, null);
  assert.deepEqual(folded(away).mirror, { state: "disconnected", behind_by: 7 });
  assert.equal(folded(away, off).mirror, null);
  const joined = sessionOf({ ...emptyState(1), mirror: { state: "disconnected", behind_by: 7 } });
  assert.deepEqual(joined.mirror, folded(away).mirror);
});

test("alerts are kept with their place in the record, the last ones only", () => {
  const alert = { watch: "w1", expression: "n", condition: "value > 1", variable: variable("n", "2"), execution: "e1", line: 3 };
  const all = folded(...Array.from({ length: 30 }, (_, index) => event(index + 1, "watch.alert", alert)));
  assert.deepEqual([all.alerts.length, all.alerts[0]?.seq, all.alerts.at(-1)?.seq], [20, 11, 30]);
  assert.deepEqual(sessionOf(emptyState(30)).alerts, [], "what was before the first picture is no news");
});
