"use strict";

// What all constructors of events have in common (DOM §2.2, §2.5).

const { boolean, DOMString, defaulting, dictionary, needArguments } = require("./webidl.js");

const EventInit = {
  bubbles: defaulting(boolean, false),
  cancelable: defaulting(boolean, false),
  composed: defaulting(boolean, false),
};

// Makes the function that converts the arguments of an event's constructor to its type and
// dictionary.
function eventArguments(name, members) {
  const convert = dictionary(`${name}Init`, EventInit, members);
  const count = Object.values(members).some(member => member.required) ? 2 : 1;
  return args => {
    needArguments(args, count, name);
    return [DOMString(args[0]), convert(args[1], "eventInitDict")];
  };
}

module.exports = { eventArguments };
