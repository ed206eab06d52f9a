// One variable's history on the screen: reads all of it, goes on with what comes, remembers where one looks.
import { computed, effect, signal, untracked } from "@preact/signals";

import type { SessionEvent } from "./messages.ts";
import { reportError } from "./notices.ts";
import type { OpenSession } from "./open_session.ts";
import { merged, placeOf, pointOf, pointsIn, type Point } from "./variable_history.ts";

const PAGE = 1000;
// Beyond this, older changes are read when somebody asks for them.
const READ_AT_ONCE = 20_000;

export class OpenHistory {
  readonly name: string;
  readonly points = signal<readonly Point[]>([]);
  readonly reading = signal(true);
  readonly hasOlder = signal(false);
  /** Where one looks, and what that is compared with, by `seq`; null: the newest, the one before. */
  readonly looking = signal<number | null>(null);
  readonly comparing = signal<number | null>(null);
  readonly at = computed(() => this.#placeOf(this.looking.value));
  readonly point = computed(() => this.points.value[this.at.value] ?? null);
  readonly other = computed(() => this.comparing.value === null
    ? this.points.value[this.at.value - 1] ?? null
    : this.points.value[this.#placeOf(this.comparing.value)] ?? null);
  readonly #open: OpenSession;
  readonly #values = new Map<number, unknown>();
  #early: SessionEvent[] | null = []; // what came before the first page
  #closed = false;

  constructor(open: OpenSession, name: string) {
    this.#open = open;
    this.name = name;
  }

  /** Until what it returns is called. */
  follow(): () => void {
    const heard = (events: readonly SessionEvent[]) => this.#hear(events);
    this.#open.listeners.add(heard);
    // At first, and again after a lost connection, in which changes may have been missed.
    const stop = effect(() => {
      if (this.#open.joined.value) untracked(() => this.#readNewest().catch(reportError));
    });
    return () => {
      this.#closed = true;
      this.#open.listeners.delete(heard);
      stop();
    };
  }

  look(place: number): void {
    const { points } = this;
    const point = points.value[Math.max(0, Math.min(points.value.length - 1, place))];
    this.looking.value = point === undefined || point === points.value.at(-1) ? null : point.seq;
  }

  /** With the exact value, which the list of changes has of numbers only. */
  async whole(point: Point): Promise<Point> {
    if (point.op === "delete" || point.value !== null || point.type === "NoneType") return point;
    if (!this.#values.has(point.seq)) {
      const { changes } = await this.#open.call("variable.history", { name: this.name, before_seq: point.seq + 1, limit: 1 });
      this.#values.set(point.seq, changes[0]?.seq === point.seq ? changes[0].value : null);
    }
    return { ...point, value: this.#values.get(point.seq) ?? null };
  }

  async readOlder(until = this.points.value.length + PAGE): Promise<void> {
    for (let more = true; more && !this.#closed && this.points.value.length < until;) {
      more = await this.#read(this.points.value[0]?.seq ?? null);
      this.hasOlder.value = more;
    }
  }

  async #readNewest(): Promise<void> {
    const last = this.points.value.at(-1)?.seq ?? null;
    const more = await this.#read(null);
    const early = this.#early ?? [];
    this.#early = null;
    this.#hear(early.filter(({ seq }) => seq > (this.points.value.at(-1)?.seq ?? 0)));
    if (last === null) {
      this.hasOlder.value = more;
      if (more) await this.readOlder(READ_AT_ONCE);
    } else await this.#fill(last);
    this.reading.value = false;
  }

  /** From the newest back to what was known before. */
  async #fill(known: number): Promise<void> {
    for (let before = this.#after(known); before !== null && !this.#closed;) {
      const length = this.points.value.length;
      if (!await this.#read(before) || this.points.value.length === length) return;
      before = this.#after(known);
    }
  }

  #after(known: number): number | null {
    return this.points.value.find(({ seq }) => seq > known)?.seq ?? null;
  }

  async #read(before: number | null): Promise<boolean> {
    const { changes, more } = await this.#open.call("variable.history",
      { name: this.name, limit: PAGE, values: false, ...(before === null ? {} : { before_seq: before }) });
    this.points.value = merged(this.points.value, changes.map(pointOf).reverse());
    return more;
  }

  #hear(events: readonly SessionEvent[]): void {
    if (this.#early) {
      this.#early.push(...events);
      return;
    }
    const executions = this.#open.session.peek()?.executions ?? [];
    const numberOf = (execution: string) =>
      executions.findLast((each) => each.execution === execution)?.number ?? null;
    this.points.value = merged(this.points.value, pointsIn(events, this.name, this.points.value.at(-1)?.nth ?? 0, numberOf));
  }

  #placeOf(seq: number | null): number {
    return seq === null ? this.points.value.length - 1 : placeOf(this.points.value, seq);
  }
}
