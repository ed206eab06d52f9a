// Page ⇄ demonstration: the rows of all tables, as they are now. Only this file knows the WebSocket.

/** @typedef {Record<string, any>} Row */
/** @typedef {{rows?: [string, string | number, Row | null][], problem?: string, greeting?: Greeting}} Message */
/**
 * @typedef {object} Greeting
 * @property {number} width
 * @property {number} height
 * @property {number} radius
 * @property {number} sight
 * @property {number} tick_ms
 * @property {Record<string, string>} scripts
 * @property {Record<string, string>} links
 */

const AGAIN_MS = 1000;

export class Rows {
  /** @type {Map<string, Map<string | number, Row>>} */
  #tables = new Map();
  /** @type {WebSocket | null} */
  #socket = null;

  /**
   * @param {string} token
   * @param {{greeted: (greeting: Greeting) => void, changed: (tables: Set<string>) => void,
   *   problem: (words: string) => void, lost: (isLost: boolean) => void}} told
   */
  constructor(token, told) {
    this.token = token;
    this.told = told;
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/rows?token=${encodeURIComponent(this.token)}`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#tables.clear();
      this.told.lost(false);
    };
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = () => {
      this.told.lost(true);
      setTimeout(() => this.open(), AGAIN_MS);
    };
  }

  /** @param {Message} message */
  #take(message) {
    if (message.greeting) this.told.greeted(message.greeting);
    if (message.problem) this.told.problem(message.problem);
    if (!message.rows) return;
    for (const [table, key, row] of message.rows) {
      const rows = this.#tables.get(table) ?? new Map();
      this.#tables.set(table, rows);
      if (row) rows.set(key, row);
      else rows.delete(key);
    }
    this.told.changed(new Set(message.rows.map(([table]) => table)));
  }

  /**
   * All rows of a table, or those of one session.
   * @param {string} table
   * @param {string} [session]
   * @returns {Row[]}
   */
  of(table, session) {
    const rows = [...(this.#tables.get(table)?.values() ?? [])];
    return session === undefined ? rows : rows.filter((row) => row.session === session);
  }

  /** Asks the demonstration for something. @param {object} what */
  ask(what) {
    this.#socket?.send(JSON.stringify(what));
  }
}
