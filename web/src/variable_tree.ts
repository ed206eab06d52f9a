// What is open in the variables table: asks for pages as they come into view, and again when they change.
import { signal } from "@preact/signals";

import type { Child, Path } from "./messages.ts";
import { reportError } from "./notices.ts";
import type { OpenSession } from "./open_session.ts";
import { pathKey } from "./paths.ts";
import { branchFor, changeBranch, openBranch, PAGE, putPage, type Branch, type Row } from "./tree.ts";

type Value = Extract<Row, { kind: "value" }>;

const REFRESH_MS = 250;

export class VariableTree {
  readonly open = signal<ReadonlyMap<string, Branch>>(new Map());
  /** When a child was seen to change, by path: for the flash. */
  readonly touched = new Map<string, number>();
  readonly #session: OpenSession;
  readonly #asked = new Map<string, { version: number; at: number }>();
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
    if (asked?.version === version) return;
    if (asked && now - asked.at < REFRESH_MS) return this.#lookAgain(asked.at + REFRESH_MS - now);
    this.#asked.set(key, { version, at: now });
    void this.#load(branch.path, page);
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
      if (key.startsWith(`${pathKey(path)} `)) this.#asked.delete(key);
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
      this.touched.set(pathKey([...branch.path, child.key]), performance.now());
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
