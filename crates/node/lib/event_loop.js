"use strict";

// Runs the tasks of all connections, and keeps the process alive while one of them is busy.

const native = require("./native.js");
const { microtaskCheckpoint } = require("./event_target.js");

// `NativeConnection.id` -> WeakRef of the Connection
const connections = new Map();
const collected = new FinalizationRegistry(id => connections.delete(id));

// The connections that may still act by themselves. They are not collected, and the process does
// not end before they are idle.
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

// How many tasks run before the rest of the event loop gets its turn.
const TURN = 256;

// The tasks of all connections, in the order in which they were queued: a `NativeConnection.id`,
// the number of its tasks, the next id, and so on. There is one queue, as in a browser: the task
// that lowers the sender's `bufferedAmount` runs before the one in which the receiver gets the
// message.
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
      // HTML §8.1.7.3 step 2.8, for the last task. The tasks before it have settled no promise, and
      // there was a checkpoint after each listener.
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
