// What the sensor is asked, and told. A token goes into the header only, never into an address or a cookie.

import { ask, token, forget } from "./token.js";

/** Why there is no answer. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body, signal) {
  const headers = {};
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "the sensor does not answer");
  }
  return answer;
}

async function refused(answer) {
  let said;
  try {
    said = (await answer.json()).error;
  } catch {
    said = undefined;
  }
  return new Refused(answer.status, said ?? `the sensor answered ${answer.status}`);
}

/** Asks; asks for the token where that is needed, and again where it is wrong. */
async function told(method, path, body, signal) {
  for (;;) {
    const answer = await call(method, path, body, signal);
    if (answer.status === 401) {
      const wrong = Boolean(token());
      forget();
      await ask(wrong ? "That token is wrong, or it was changed." : undefined);
      continue;
    }
    if (!answer.ok) throw await refused(answer);
    return answer;
  }
}

export async function get(path, signal) {
  return (await told("GET", path, undefined, signal)).json();
}

/** Changes something; without a token it asks for one first. */
export async function send(method, path, body) {
  if (!token()) await ask();
  const answer = await told(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

/** A file, for the browser to save. */
export async function file(path) {
  return (await told("GET", path)).blob();
}
