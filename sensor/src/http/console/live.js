// How the sensor is, every two seconds, whatever view is open: the last minutes are kept in this page only.

import { get } from "./api.js";
import { every } from "./dom.js";

const EVERY = 2000;
/** Five minutes. */
export const KEPT = 150;

/** Rates between two answers, the newest last: { at, packets, bits, lost, received }. */
export const rates = [];
/** The last answer, and when it came; `error` while there is none. */
export const now = { status: null, error: null, offset: 0 };
const listeners = new Set();
let before = null;

const sum = (status, field) => status.interfaces.reduce((all, one) => all + one[field], 0);

function take(status) {
  const at = Date.parse(status.now);
  now.offset = at - Date.now();
  const counted = { at, packets: sum(status, "packets"), lost: sum(status, "dropped"), bytes: status.bytes };
  // The same second twice is no time at all; after a restart the counts begin anew.
  if (before && at > before.at && counted.packets >= before.packets && status.started === now.status?.started) {
    const seconds = (at - before.at) / 1000;
    rates.push({
      at,
      packets: (counted.packets - before.packets) / seconds,
      bits: (8 * Math.max(0, counted.bytes - before.bytes)) / seconds,
      received: counted.packets - before.packets,
      lost: Math.max(0, counted.lost - before.lost),
    });
    if (rates.length > KEPT) rates.shift();
  }
  if (!before || at > before.at || status.started !== now.status?.started) before = counted;
  now.status = status;
  now.error = null;
}

/** Begins, and goes on until the page is closed. */
export function start() {
  every(EVERY, new AbortController().signal, async () => {
    try {
      take(await get("/api/status"));
    } catch (error) {
      now.error = error.name === "Cancelled" ? "no token was given" : error.message;
    }
    listeners.forEach((listener) => listener(now));
  });
}

/** Calls `listener` now and after each answer, until `signal` says stop. */
export function follow(signal, listener) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  if (now.status || now.error) listener(now);
}

/** The time by the sensor's clock. */
export const sensorTime = () => Date.now() + now.offset;
