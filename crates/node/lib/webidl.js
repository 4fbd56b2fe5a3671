"use strict";

// Web IDL §3.2, conversions of JavaScript values. A conversion is a function of a value and of the
// name that the TypeError gives to it. Combinators build conversions from others.

const isObject = value =>
  (typeof value === "object" && value !== null) || typeof value === "function";

// §3.6.1 step 4: throws if there are fewer arguments than the shortest overload has.
function needArguments(args, count, name) {
  if (args.length < count) {
    throw new TypeError(
      `${name}: ${count} argument${count === 1 ? "" : "s"} required, but only ${args.length} present`,
    );
  }
}

const boolean = value => !!value;
const DOMString = value => `${value}`;
const USVString = value => `${value}`.toWellFormed();

function object(value, what) {
  if (!isObject(value)) throw new TypeError(`${what} is not an object`);
  return value;
}

// §3.2.4.9 "ConvertToInt".
function integer(bits, { signed = false, mode = "modulo" } = {}) {
  const modulus = 2 ** bits;
  const lowest = signed ? -(2 ** (bits - 1)) : 0;
  const highest =
    bits === 64 ? Number.MAX_SAFE_INTEGER : signed ? 2 ** (bits - 1) - 1 : modulus - 1;
  switch (mode) {
    case "enforce range":
      return (value, what) => {
        const number = Math.trunc(+value);
        if (!(number >= lowest && number <= highest)) {
          throw new TypeError(`${what} is not an integer from ${lowest} to ${highest}`);
        }
        return number + 0;
      };
    case "clamp":
      return value => {
        const number = Math.min(Math.max(+value, lowest), highest);
        if (Number.isNaN(number)) return 0;
        const floor = Math.floor(number);
        const half = number - floor === 0.5;
        return (half ? floor + (floor % 2) : Math.round(number)) + 0;
      };
    default:
      return value => {
        const number = Math.trunc(+value);
        if (!Number.isFinite(number)) return 0;
        const wrapped = ((number % modulus) + modulus) % modulus;
        return signed && wrapped > highest ? wrapped - modulus : wrapped + 0;
      };
  }
}

const octet = integer(8);
const unsignedShort = integer(16);
const long = integer(32, { signed: true });
const unsignedLong = integer(32);

const unrestrictedDouble = value => +value;
function double(value, what) {
  const number = +value;
  if (!Number.isFinite(number)) throw new TypeError(`${what} is not a finite number`);
  return number;
}

const nullable = convert => (value, what) =>
  value === null || value === undefined ? null : convert(value, what);

// §3.2.18. `includes` is for attributes: their setters ignore other values (§3.7.6).
function enumeration(name, ...values) {
  const set = new Set(values);
  const convert = (value, what) => {
    const string = `${value}`;
    if (!set.has(string)) throw new TypeError(`${what}: "${string}" is not one of ${name}`);
    return string;
  };
  convert.includes = value => set.has(value);
  return convert;
}

// §3.2.21. `from` takes the iterator method if a union has already looked it up.
function sequence(convert) {
  const from = (value, method, what) => {
    const iterator = method.call(value);
    if (!isObject(iterator)) throw new TypeError(`${what}: its iterator is not an object`);
    const { next } = iterator;
    const list = [];
    for (;;) {
      const result = next.call(iterator);
      if (!isObject(result)) throw new TypeError(`${what}: its iterator gives no object`);
      if (result.done) return list;
      list.push(convert(result.value, `${what}[${list.length}]`));
    }
  };
  const conversion = (value, what) => {
    const method = isObject(value) ? value[Symbol.iterator] : undefined;
    if (method === undefined || method === null) throw new TypeError(`${what} is not iterable`);
    if (typeof method !== "function")
      throw new TypeError(`${what}: its Symbol.iterator is not a function`);
    return from(value, method, what);
  };
  conversion.from = from;
  return conversion;
}

// §3.2.24, for `(T or sequence<T>)` with a string type.
function orSequence(convert) {
  const list = sequence(convert);
  return (value, what) => {
    const method = isObject(value) ? value[Symbol.iterator] : undefined;
    if (method === undefined || method === null) return convert(value, what);
    if (typeof method !== "function")
      throw new TypeError(`${what}: its Symbol.iterator is not a function`);
    return list.from(value, method, what);
  };
}

function interfaceType(name, isInstance) {
  return (value, what) => {
    if (!isObject(value) || !isInstance(value))
      throw new TypeError(`${what} is not an instance of ${name}`);
    return value;
  };
}

function callback(value, what) {
  if (typeof value !== "function") throw new TypeError(`${what} is not a function`);
  return value;
}

const required = convert => ({ convert, required: true });
const defaulting = (convert, fallback) => ({ convert, fallback });

// §3.2.17. `levels`: the members of each dictionary, the least derived first. A member is a
// conversion, or one wrapped by `required` or `defaulting`. A default is a primitive, or a function
// that makes one.
function dictionary(name, ...levels) {
  const members = levels.flatMap(level =>
    Object.keys(level)
      .sort()
      .map(key => {
        const member = level[key];
        return typeof member === "function" ? { key, convert: member } : { key, ...member };
      }),
  );
  return (value, what) => {
    const absent = value === undefined || value === null;
    if (!absent && !isObject(value))
      throw new TypeError(`${what} is not an object: it cannot be ${name}`);
    const result = {};
    for (const { key, convert, required, fallback } of members) {
      const member = absent ? undefined : value[key];
      if (member !== undefined) {
        result[key] = convert(member, `${what}: ${name}.${key}`);
      } else if (fallback !== undefined) {
        result[key] = typeof fallback === "function" ? fallback() : fallback;
      } else if (required) {
        throw new TypeError(`${what}: ${name}.${key} is required`);
      }
    }
    return result;
  };
}

const emptyList = () => [];

module.exports = {
  isObject,
  needArguments,
  boolean,
  DOMString,
  USVString,
  object,
  integer,
  octet,
  unsignedShort,
  long,
  unsignedLong,
  unrestrictedDouble,
  double,
  nullable,
  enumeration,
  sequence,
  orSequence,
  interfaceType,
  callback,
  required,
  defaulting,
  dictionary,
  emptyList,
};
