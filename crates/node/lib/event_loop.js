"use strict";

// When connections run, and for how long the process stays.

const native = require("./native.js");
const { microtaskCheckpoint } = require("./event_target.js");

// `NativeConnection.id` -> WeakRef of the Connection
const connections = new Map();
const collected = new FinalizationRegistry(id => connections.delete(id));

// Those that may still do something of their own: they are kept, and they keep the process.
const busy = new Set();
const keepAlive = setInterval(() => {}, 0x7fffffff);
keepAlive.unref();

function add(connection, id) {
  connections.set(id, new WeakRef(connection));
  collected.register(connection, id);
}

function setBusy(connection, isBusy) {
  if (isBusy) {
    if (busy.add(connection).size === 1) keepAlive.ref();
  } else if (busy.delete(connection) && busy.size === 0) {
    keepAlive.unref();
  }
}

// So many tasks run before the rest of the event loop gets its turn.
const TURN = 256;

// Tasks in the order in which they were queued, those of all connections: `NativeConnection.id`, number of
// tasks, and so on. A browser has one queue too: what one connection has sent is off its `bufferedAmount`
// before another one receives it.
let queue = [];
let position = 0;
let scheduled = false;

function enqueue(tasks) {
  if (tasks.length === 0) return;
  queue = position === queue.length ? tasks : queue.slice(position).concat(tasks);
  position = 0;
}

function run() {
  let turn = TURN;
  for (;;) {
    if (position === queue.length) enqueue(native.takeReady());
    if (position === queue.length) return;
    const connection = connections.get(queue[position])?.deref();
    let count = connection === undefined ? 0 : queue[position + 1];
    while (count > 0 && turn > 0) {
      const ran = connection.runTasks(Math.min(count, turn));
      count -= ran;
      turn -= ran;
      // HTML §8.1.7.3 step 2.8, for the last of them. Those before it have settled no promise, and
      // after each listener there was a checkpoint.
      microtaskCheckpoint();
    }
    connection?.updateBusy();
    if (count > 0) {
      queue[position + 1] = count;
      return schedule();
    }
    position += 2;
  }
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    run();
  });
}

function wake(tasks) {
  enqueue(tasks);
  run();
}

module.exports = { add, setBusy, schedule, wake };
