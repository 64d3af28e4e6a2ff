// The token of this session: kept in this tab until it is closed, and asked for where it is needed.

import { form } from "./dialog.js";
import { h } from "./dom.js";

const KEY = "egret.token";
let held = sessionStorage.getItem(KEY) ?? "";
let asking = null;
const listeners = new Set();

/** What the sensor said of who may do what: `to_read`, `can_change`. */
export const access = { to_read: false, can_change: false };

export const token = () => held;

/** Calls `listener` whenever a token is given or forgotten. */
export const onToken = (listener) => listeners.add(listener);

function keep(value) {
  held = value;
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  listeners.forEach((listener) => listener());
}

export const forget = () => keep("");

/** Learns what is needed; to be called once at the start. */
export async function learn() {
  try {
    const answer = await fetch("/console/access", { cache: "no-store", credentials: "omit" });
    Object.assign(access, await answer.json());
  } catch {
    // The page says that the sensor does not answer.
  }
  return access;
}

/** Whether the token is right; none of an answer: nobody knows. */
async function isRight(value) {
  const headers = { Authorization: `Bearer ${value}` };
  const answer = await fetch("/console/access", { headers, cache: "no-store", credentials: "omit" });
  return (await answer.json()).token !== false;
}

/** Asks for the token. Whoever asks meanwhile waits for the same dialog; closing it is a refusal. */
export function ask(why) {
  asking ??= question(why).finally(() => { asking = null; });
  return asking;
}

async function question(why) {
  const input = h("input", {
    type: "password", name: "token", required: true, autocomplete: "off", spellcheck: "false",
    minlength: "16", maxlength: "512", "aria-describedby": "token-help",
  });
  const help = h("p", { id: "token-help", class: "help" },
    "It is in the file that http.token_file names in the sensor's config. It stays in this tab until you close it.");
  await form("Token", "Use it", [
    why ? h("p", { class: "wrong", role: "alert" }, why) : null,
    h("label", {}, "Token", input), help,
  ], async () => {
    const value = input.value.trim();
    if (!/^[\x21-\x7e]{16,512}$/.test(value)) throw new Error("A token has 16 to 512 characters and no spaces.");
    if (!(await isRight(value))) throw new Error("The token is wrong.");
    keep(value);
  });
}
