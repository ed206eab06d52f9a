// Bench ⇄ npm's `@clockworklabs/spacetimedb-sdk`: subscribes and calls; the twin of `sdk_python.py`.
//
//   node client.mjs subscribe URI DATABASE TIMES → the seconds of each, in a line of JSON
//   node client.mjs calls URI DATABASE REDUCER WARM_UP COUNT WINDOW → calls a second
import { DbConnection } from "./bindings/index.ts";

const [what, uri, database, ...rest] = process.argv.slice(2);
const numbers = rest.map(Number);
const answer = what === "subscribe" ? await subscribe(numbers[0]) : await calls(rest[0], ...numbers.slice(1));
console.log(JSON.stringify(answer));
process.exit(0);

function connected() {
  return new Promise((resolve, reject) => {
    DbConnection.builder()
      .withUri(uri)
      .withModuleName(database)
      .withCompression("none")
      .onConnect(resolve)
      .onConnectError((_, error) => reject(error))
      .build();
  });
}

function subscribed(connection, query) {
  return new Promise((resolve, reject) => {
    connection
      .subscriptionBuilder()
      .onApplied(resolve)
      .onError((context) => reject(context.event))
      .subscribe(query);
  });
}

async function subscribe(times) {
  const seconds = [];
  let rows = 0;
  for (let number = 0; number < times; number++) {
    const connection = await connected();
    const began = performance.now();
    await subscribed(connection, "SELECT * FROM player");
    seconds.push((performance.now() - began) / 1000);
    rows = connection.db.player.count();
    connection.disconnect();
  }
  return { seconds, rows };
}

async function calls(reducer, warmUp, count, window) {
  const connection = await connected();
  await subscribed(connection, "SELECT * FROM spot");
  await called(connection, reducer, warmUp, window);
  const began = performance.now();
  await called(connection, reducer, count, window);
  const seconds = (performance.now() - began) / 1000;
  connection.disconnect();
  return { seconds: [seconds], rows: connection.db.spot.count() };
}

/** As many calls, of which so many wait for their commit at a time. */
function called(connection, reducer, count, window) {
  const { reducers } = connection;
  let sent = 0;
  let done = 0;
  const call = () => {
    const number = sent++;
    if (reducer === "nothing") reducers.nothing();
    else reducers.moveSpot({ id: number % window, x: number, y: -number });
  };
  return new Promise((resolve, reject) => {
    const ended = (context) => {
      if (context.event.status.tag !== "Committed") reject(new Error(`not committed: ${context.event.status.value}`));
      done++;
      if (sent < count) call();
      else if (done === count) {
        remove(ended);
        resolve();
      }
    };
    const isNothing = reducer === "nothing";
    const remove = (callback) => (isNothing ? reducers.removeOnNothing(callback) : reducers.removeOnMoveSpot(callback));
    if (isNothing) reducers.onNothing(ended);
    else reducers.onMoveSpot(ended);
    for (let number = 0; number < Math.min(window, count); number++) call();
  });
}
