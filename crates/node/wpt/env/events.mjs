// Events at the window, which here is Node's global object.
import { define } from "./define.mjs";

const target = new EventTarget();

function dispatch(event) {
  Object.defineProperty(event, "target", { value: globalThis, configurable: true });
  target.dispatchEvent(event);
  const handler = globalThis[`on${event.type}`];
  if (typeof handler === "function" && event.type !== "error") {
    try {
      handler.call(globalThis, event);
    } catch (error) {
      fireError(error);
    }
  }
  return !event.defaultPrevented;
}

export function installWindowEvents() {
  define("addEventListener", target.addEventListener.bind(target));
  define("removeEventListener", target.removeEventListener.bind(target));
  define("dispatchEvent", dispatch);
}

export function fireError(error, filename = "") {
  const message = `${error?.name ?? "Error"}: ${error?.message ?? error}`;
  const event = new Event("error", { cancelable: true });
  dispatch(Object.assign(event, { error, message, filename, lineno: 0, colno: 0 }));
}

export function fireRejection(reason, promise) {
  dispatch(
    Object.assign(new Event("unhandledrejection", { cancelable: true }), { reason, promise }),
  );
}

export function fireMessage(data, source) {
  dispatch(messageEvent(data, source));
}

export function messageEvent(data, source) {
  return Object.assign(new Event("message"), { data, source, origin: globalThis.location.origin });
}

export function fireLoad() {
  globalThis.document.readyState = "complete";
  globalThis.document.dispatchEvent(new Event("DOMContentLoaded"));
  setTimeout(() => dispatch(new Event("load")), 0);
}
