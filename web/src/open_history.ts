// One variable's history on the screen: reads all of it, goes on with what comes, remembers where one looks.
import { computed, effect, signal, untracked } from "@preact/signals";

import type { SessionEvent } from "./messages.ts";
import { reportError } from "./notices.ts";
import type { OpenSession } from "./open_session.ts";
import { merged, placeOf, pointOf, pointsIn, type Point } from "./variable_history.ts";

const PAGE = 1000;
// Beyond this, older changes are read when somebody asks for them.
const READ_AT_ONCE = 20_000;
const VALUES_KEPT = 100;

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

  /** With the exact value, which the list of changes has of numbers only; null: it has to be read. */
  whole(point: Point): Point | null {
    if (point.op === "delete" || point.value !== null || point.type === "NoneType") return point;
    const value = this.#values.get(point.seq);
    return value === undefined ? null : { ...point, value };
  }

  async readWhole(point: Point): Promise<Point> {
    const known = this.whole(point);
    if (known) return known;
    const { changes } = await this.#open.call("variable.history", { name: this.name, before_seq: point.seq + 1, limit: 1 });
    const value = changes[0]?.seq === point.seq ? changes[0].value : null;
    this.#keepValue(point.seq, value);
    return { ...point, value };
  }

  #keepValue(seq: number, value: unknown): void {
    this.#values.set(seq, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > VALUES_KEPT && oldest !== undefined) this.#values.delete(oldest);
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
    this.#hear(early);
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
    // What a page brought already may be heard of after it.
    const last = this.points.value.at(-1);
    const later = events.filter(({ seq }) => seq > (last?.seq ?? 0));
    const added = pointsIn(later, this.name, last?.nth ?? 0, numberOf);
    this.points.value = merged(this.points.value, added.map((point) => this.#withoutValue(point)));
  }

  /** Of a loop that runs for hours only the last exact values are held. */
  #withoutValue(point: Point): Point {
    if (point.amount !== null || point.op === "delete") return point;
    this.#keepValue(point.seq, point.value);
    return { ...point, value: null };
  }

  #placeOf(seq: number | null): number {
    return seq === null ? this.points.value.length - 1 : placeOf(this.points.value, seq);
  }
}
