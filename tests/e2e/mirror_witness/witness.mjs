// Test ⇄ npm's `@clockworklabs/spacetimedb-sdk`: tells what it sees of a session, and calls what it is told to.
//
//   node witness.mjs URI DATABASE SESSION
//
// Each line of output is JSON: who it is, that it has subscribed, each row that comes, changes or goes, and how each call
// ended. Each line of input is the arguments of a call: [key, session, action].
import { createInterface } from "node:readline";

import { DbConnection } from "./bindings/index.ts";

const TABLES = ["session", "process", "execution", "output", "variable", "variableChange"];
const SQL_NAMES = { variableChange: "variable_change" };

const [uri, database, session] = process.argv.slice(2);

/** @param {object} told */
function tell(told) {
  console.log(JSON.stringify(told, (_, value) => (typeof value === "bigint" ? Number(value) : value)));
}

/** @param {DbConnection} connection */
function follow(connection, table) {
  const handle = connection.db[table];
  handle.onInsert((_, row) => tell({ what: "insert", table, row }));
  handle.onUpdate((_, __, row) => tell({ what: "update", table, row }));
  handle.onDelete((_, row) => tell({ what: "delete", table, row }));
}

/** @param {DbConnection} connection */
function begin(connection, identity) {
  for (const table of [...TABLES, "commandResult"]) follow(connection, table);
  connection.reducers.onCommand((context, key) => tell({ what: "call", key, status: context.event.status }));
  const queries = TABLES.map((table) => `SELECT * FROM ${SQL_NAMES[table] ?? table} WHERE session = '${session}'`);
  connection
    .subscriptionBuilder()
    .onApplied(() => tell({ what: "ready", identity: identity.toHexString() }))
    .onError((context) => fail(context.event))
    .subscribe([...queries, "SELECT * FROM command_result"]);
  createInterface({ input: process.stdin })
    .on("line", (line) => connection.reducers.command(...JSON.parse(line)))
    .on("close", () => process.exit(0));
}

/** @param {unknown} error */
function fail(error) {
  console.error(error);
  process.exit(1);
}

DbConnection.builder()
  .withUri(uri)
  .withModuleName(database)
  .withCompression("none")
  .onConnect(begin)
  .onConnectError((_, error) => fail(error))
  .build();
