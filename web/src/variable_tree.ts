// What is open in the variables table: asks for pages as they come into view, and again when they change.
import { signal } from "@preact/signals";

import type { Child, Patch, Path } from "./messages.ts";
import { reportError } from "./notices.ts";
import type { OpenSession } from "./open_session.ts";
import { pathKey } from "./paths.ts";
import { Touches } from "./touches.ts";
import {
  branchFor, changeBranch, openBranch, PAGE, patchPage, putPage, type Branch, type Row,
} from "./tree.ts";

type Value = Extract<Row, { kind: "value" }>;

const REFRESH_MS = 250;
// A window that is kept up to date by patches is asked for only if these should stay away.
const PATCHED_MS = 2000;

export class VariableTree {
  readonly open = signal<ReadonlyMap<string, Branch>>(new Map());
  /** Which children were seen to change, by path. */
  readonly touched = new Touches();
  readonly #session: OpenSession;
  readonly #asked = new Map<string, { version: number; at: number }>();
  readonly #patched = new Set<string>();
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(session: OpenSession) {
    this.#session = session;
  }

  toggle(row: Value): void {
    if (row.open) this.close(row.path);
    else this.#open(row);
  }

  close(path: Path): void {
    this.#change(path, () => null);
  }

  /** Called for every page in view at each drawing: asks only for what is missing or out of date. */
  need(branch: Branch, page: number): void {
    const version = this.#versionOf(branch.path);
    if (version === null) return this.close(branch.path);
    const key = `${pathKey(branch.path)} ${page}`;
    const asked = this.#asked.get(key);
    const now = performance.now();
    if (asked && asked.version >= version) return;
    const pause = this.#patched.has(key) ? PATCHED_MS : REFRESH_MS;
    if (asked && now - asked.at < pause) return this.#lookAgain(asked.at + pause - now);
    this.#asked.set(key, { version, at: now });
    void this.#load(branch.path, page);
  }

  /** News of a window that is in view. */
  patch({ path, offset, total, length, version, rows }: Patch): void {
    const page = Math.floor(offset / PAGE);
    const key = `${pathKey(path)} ${page}`;
    if (total === null) return; // what it looks into is gone: the row that leads there knows
    this.#patched.add(key);
    this.#asked.set(key, { version, at: performance.now() });
    this.#change(path, (branch) => {
      const children = patchPage(branch.pages.get(page) ?? [], length, version, rows);
      if (!children) {
        this.#asked.delete(key); // it began with rows that are not here any more
        return branch;
      }
      this.#noteChanges(branch, page, children);
      return putPage(branch, page, children, total);
    });
  }

  /** Forgets branches of variables that are gone. */
  keep(names: ReadonlySet<string>): void {
    const gone = [...this.open.peek().keys()].filter((name) => !names.has(name));
    for (const name of gone) this.close([name]);
  }

  #lookAgain(afterMs: number): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.open.value = new Map(this.open.peek());
    }, afterMs);
  }

  #open({ path, index, depth, parent }: Value): void {
    for (const key of this.#asked.keys()) {
      if (!key.startsWith(`${pathKey(path)} `)) continue;
      this.#asked.delete(key);
      this.#patched.delete(key);
    }
    const branch = branchFor(path, index, depth);
    if (parent) this.#change(parent.path, (known) => openBranch(known, branch));
    else this.open.value = new Map(this.open.value).set(String(path[0]), branch);
  }

  async #load(path: Path, page: number): Promise<void> {
    try {
      const { children, total } =
        await this.#session.call("variable.get", { path, offset: page * PAGE, limit: PAGE });
      this.#change(path, (branch) => {
        this.#noteChanges(branch, page, children);
        return putPage(branch, page, children, total ?? page * PAGE + children.length);
      });
    } catch (error) {
      this.close(path);
      reportError(error);
    }
  }

  #noteChanges(branch: Branch, page: number, children: readonly Child[]): void {
    const known = branch.pages.get(page);
    if (!known) return;
    children.forEach((child, index) => {
      const before = known[index];
      if (before && before.variable.preview === child.variable.preview) return;
      this.touched.note(pathKey([...branch.path, child.key]));
    });
  }

  #change(path: Path, change: (branch: Branch) => Branch | null): void {
    const name = String(path[0]);
    const root = this.open.peek().get(name);
    if (!root) return;
    const next = changeBranch(root, path, change);
    const open = new Map(this.open.peek());
    if (next) open.set(name, next);
    else open.delete(name);
    this.open.value = open;
  }

  #versionOf(path: Path): number | null {
    return this.#session.session.peek()?.variables.get(String(path[0]))?.version ?? null;
  }
}
