// Elements, and text from the wire made visible. Nothing here, or anywhere else, makes markup of a string.

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u3164\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const SVG = "http://www.w3.org/2000/svg";

/** What acts on a line or cannot be seen in it, shown as the terminal shows it. */
export function visible(text) {
  return String(text).replace(HIDDEN, (c) => {
    const code = c.codePointAt(0);
    if (SHORT[c]) return SHORT[c];
    return code < 128 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** An element. Children are elements or text; `on` has listeners, `data` data attributes. */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name === "data") {
      Object.assign(made.dataset, value);
    } else if (name in made && typeof value !== "string") {
      made[name] = value;
    } else {
      made.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Text that somebody else chose: isolated, so that it orders nothing around it, and cut where it is long. */
export function name(text, longest = 400) {
  const shown = visible(text ?? "");
  const cut = shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
  return h("bdi", { class: "name", title: shown.length > 24 ? shown.slice(0, 600) : null }, cut || "(no name)");
}

const summary = (details) => details.querySelector("summary")?.textContent;

/**
 * Puts children in place of those in `parent`. What is the same stays as it is, with the focus and what is
 * selected in it; else the focus goes to what has the same key, and open details stay open.
 */
export function fill(parent, ...children) {
  const next = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  const old = [...parent.childNodes];
  const open = [...parent.querySelectorAll("details[open]")].map(summary);
  const isWithin = parent.contains(document.activeElement);
  const focused = isWithin ? document.activeElement.dataset.key : undefined;
  if (old.length !== next.length || next.some((child) => !(child instanceof Node))) {
    parent.replaceChildren(...next);
  } else {
    next.forEach((child, at) => {
      for (const details of child.querySelectorAll?.("details") ?? []) details.open ||= open.includes(summary(details));
      if (!child.isEqualNode(old[at])) old[at].replaceWith(child);
    });
  }
  for (const details of parent.querySelectorAll("details")) details.open ||= open.includes(summary(details));
  if (focused === undefined || parent.contains(document.activeElement)) return;
  for (const one of parent.querySelectorAll("[data-key]")) {
    if (one.dataset.key === focused) one.focus({ preventScroll: true });
  }
}

/** Calls `what` now and every so often, never twice at once, until `signal` says stop. */
export function every(milliseconds, signal, what) {
  let timer;
  const round = async () => {
    try {
      await what();
    } finally {
      if (!signal.aborted) timer = setTimeout(round, document.hidden ? milliseconds * 5 : milliseconds);
    }
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return round();
}

/** A word to everyone, for some seconds; `action` is a button in it: [label, function]. */
export function notice(text, kind = "info", action) {
  const list = document.getElementById("notices");
  const shown = h("div", { class: `notice ${kind}` }, h("span", {}, visible(text)));
  const close = () => shown.remove();
  if (action) {
    const [label, act] = action;
    shown.append(h("button", { type: "button", class: "quiet", on: { click: () => { close(); act(); } } }, label));
  }
  shown.append(h("button", { type: "button", class: "quiet", "aria-label": "Close", on: { click: close } }, "×"));
  list.append(shown);
  while (list.children.length > 3) list.firstChild.remove();
  setTimeout(close, action ? 20000 : 8000);
}

/** A part of a view with a heading. */
export function card(title, attributes, ...children) {
  return h("section", { ...attributes, class: `card ${attributes?.class ?? ""}` }, h("h2", {}, title), ...children);
}

/** A short word on a ground of its own; `kind` chooses the ground, the word says it as well. */
export function badge(kind, text) {
  return h("span", { class: `badge ${kind}` }, text);
}
