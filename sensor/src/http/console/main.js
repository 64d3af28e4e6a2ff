// Which view is shown, by the address behind the #: `#alerts?status=open`, `#alert=ID`, `#asset=NAME`.

import { Cancelled } from "./dialog.js";
import { fill, h, notice, visible } from "./dom.js";
import { listen } from "./list.js";
import * as live from "./live.js";
import { access, ask, forget, learn, onToken, token } from "./token.js";
import { count } from "./words.js";
import { get } from "./api.js";
import { alert } from "./alert.js";
import { alerts } from "./alerts.js";
import { asset } from "./asset.js";
import { assets } from "./assets.js";
import { fleet } from "./fleet.js";
import { overview } from "./overview.js";
import { sources } from "./sources.js";

const VIEWS = ["overview", "alerts", "assets", "sources", "fleet"];
const SHOW = { overview, alerts, alert, assets, asset, sources, fleet };
/** Where Esc leads from one thing. */
const LISTS = { alert: "alerts", asset: "assets" };

const view = document.getElementById("view");
let shown = new AbortController();
let lists = {};

/** What the address asks for: a view, one thing of it, and filters. */
function asked() {
  const [place, query = ""] = location.hash.slice(1).split("?", 2);
  const [kind, ...rest] = place.split("=");
  let one = rest.join("=");
  try {
    one = decodeURIComponent(one);
  } catch {
    // Not ours; it names nothing then.
  }
  return { kind: SHOW[kind] ? kind : "overview", one, query: new URLSearchParams(query) };
}

async function route() {
  const { kind, one, query } = asked();
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const list = LISTS[kind] ?? kind;
  if (!LISTS[kind]) lists[kind] = location.hash;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === list) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${list[0].toUpperCase()}${list.slice(1)} · Egret`;
  fill(view, h("p", { class: "empty" }, "Loading"));
  try {
    await SHOW[kind](view, { one, query, signal });
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    const text = error instanceof Cancelled ? "This needs the token." : error.message;
    fill(view, h("section", { class: "card" }, h("h1", {}, "Not now"), h("p", {}, visible(text)),
      h("button", { type: "button", on: { click: route } }, "Try again")));
  }
}

/** From one thing to its list as it was filtered. */
function back() {
  const { kind } = asked();
  if (LISTS[kind]) location.hash = lists[LISTS[kind]] ?? `#${LISTS[kind]}`;
}

function theme() {
  const button = document.getElementById("theme");
  const names = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
  const order = Object.keys(names);
  const set = (chosen) => {
    document.documentElement.dataset.theme = chosen;
    button.textContent = { auto: "◐", light: "☀", dark: "☾" }[chosen];
    button.title = names[chosen];
    button.setAttribute("aria-label", `${names[chosen]}; switch`);
  };
  const known = localStorage.getItem("egret.theme");
  set(order.includes(known) ? known : "auto");
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length];
    localStorage.setItem("egret.theme", next);
    set(next);
  });
}

function tokenButton() {
  const button = document.getElementById("token");
  const show = () => {
    button.textContent = token() ? "Forget token" : "Token";
    button.title = token() ? "Changes can be made from this tab" : access.can_change ? "Read-only: changes need the token" : "Read-only: set http.token_file in the config to make changes from here";
    button.disabled = !access.can_change && !token();
  };
  onToken(show);
  show();
  button.addEventListener("click", async () => {
    if (token()) return forget();
    try {
      await ask();
      notice("The token is right; changes can be made from this tab.", "good");
    } catch {
      // It was closed.
    }
  });
  return show;
}

function pulse({ status, error }) {
  const place = document.getElementById("pulse");
  const text = document.getElementById("pulse-text");
  const well = !error && status?.workers_alive;
  place.className = `pulse ${error ? "lost" : well ? "well" : "ill"}`;
  text.textContent = error ? "no answer" : well ? "live" : "stands still";
  place.title = error ? visible(error) : well ? "The sensor answers, and its workers look for packets" : "A worker has not looked for packets for some seconds";
  if (!status) return;
  // One sensor alone needs no view of others.
  document.getElementById("fleet").hidden = !status.fleet;
  const about = `${status.sensor} · Egret ${status.version}`;
  document.getElementById("sensor").textContent = visible(about);
}

/** How many alerts are open, beside the view's name. */
async function countAlerts() {
  const place = document.getElementById("open-alerts");
  try {
    const { open } = await get("/api/alerts/counts");
    const all = Object.values(open).reduce((sum, number) => sum + number, 0);
    place.hidden = all === 0;
    place.textContent = count(all);
    place.setAttribute("aria-label", `${all} open`);
  } catch {
    place.hidden = true;
  }
}

async function start() {
  theme();
  const showToken = tokenButton();
  await learn();
  showToken();
  listen(back, (number) => { location.hash = `#${VIEWS[number]}`; });
  addEventListener("hashchange", () => {
    if (location.hash === "#view") return;
    route().then(() => view.focus({ preventScroll: true }));
    scrollTo(0, 0);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    view.focus();
  });
  if (access.to_read && !token()) {
    await ask("This sensor is asked from another machine: reading needs the token, too.").catch(() => {});
  }
  live.start();
  live.follow(new AbortController().signal, pulse);
  setInterval(countAlerts, 15000);
  document.addEventListener("egret-changed", countAlerts);
  await Promise.all([countAlerts(), route()]);
}

start();
