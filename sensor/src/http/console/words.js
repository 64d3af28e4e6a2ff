// Numbers and times as people read them.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const SI = ["", "k", "M", "G", "T"];

function scaled(value, units, space = " ") {
  let at = 0;
  let number = Number(value) || 0;
  while (number >= 1000 && at < units.length - 1) {
    number /= 1000;
    at += 1;
  }
  const digits = at === 0 ? (Number.isInteger(number) || number >= 100 ? 0 : 1) : number >= 100 ? 0 : 1;
  return `${number.toFixed(digits)}${space}${units[at]}`;
}

export const bytes = (count) => scaled(count, UNITS);
export const bits = (rate) => `${scaled(rate, SI.map((prefix) => `${prefix}bit/s`))}`;
export const rate = (value, of) => `${scaled(value, SI, "")} ${of}/s`;
export const count = (value) => Number(value ?? 0).toLocaleString("en-US");
export const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** A share of 0 to 1. */
export function percent(share) {
  const value = 100 * (share || 0);
  if (value === 0) return "0 %";
  return value < 0.1 ? "< 0.1 %" : `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

/** `2026-11-20 14:03:11`; UTC, as in alerts. */
export const utc = (time) => (time ? String(time).slice(0, 19).replace("T", " ") : "");
export const clock = (time) => utc(time).slice(11);
export const minute = (time) => utc(time).slice(0, 16);

/** How long `milliseconds` are, in its two largest units. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [unit, size] = parts[first];
  const text = `${Math.floor(seconds / size)} ${unit}`;
  const next = parts[first + 1];
  const rest = next ? Math.floor((seconds % size) / next[1]) : 0;
  return rest > 0 && Math.floor(seconds / size) < 10 ? `${text} ${rest} ${next[0]}` : text;
}

/** How long ago that was, by the sensor's clock where it is known. */
export function ago(time, now = Date.now()) {
  if (!time) return "never";
  const passed = now - Date.parse(time);
  return passed < 1500 ? "just now" : `${span(passed)} ago`;
}

/** The same in one unit, for lists. */
export const agoShort = (time, now) => ago(time, now).replace(/^(\d+ \w+) \d+ \w+ ago$/, "$1 ago");

export const SEVERITIES = ["critical", "high", "medium", "low", "informational"];
export const ANALYTICS = {
  AN1416: "Unexpected TLS egress",
  AN0731: "Ports calculated from DNS answers",
  AN0646: "Guest operations",
  AN1131: "Mirrors that lead elsewhere",
  DC0078: "Channels of network traffic",
};
export const ROLES = { esxi: "ESXi host", vcenter: "vCenter", guest: "guest", other: "other" };
export const STATUS = { open: "open", acknowledged: "acknowledged", suppressed: "held back" };
