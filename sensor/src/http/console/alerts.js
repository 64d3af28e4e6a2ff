// What was raised, the latest first, by filters that are in the address.

import { get } from "./api.js";
import { badge, every, fill, h, name, visible } from "./dom.js";
import { ANALYTICS, SEVERITIES, STATUS, agoShort, counted, minute } from "./words.js";
import { now, sensorTime } from "./live.js";

const STEP = 50;
const MOST = 1000;

/** One alert as a line that opens it. `short`: without its status. */
export function row(alert, short = false) {
  const to = alert.destination;
  const place = to ? name(to.sni ?? to.address, 80) : null;
  const own = now.status?.sensor;
  const sensor = own && alert.sensor !== own ? name(alert.sensor, 40) : null;
  return h("div", { role: "listitem" },
    h("a", { class: "row", href: `#alert=${alert.id}`, data: { key: alert.id } },
      badge(alert.severity, alert.severity === "informational" ? "info" : alert.severity),
      h("span", { class: "what" }, h("span", { class: "title" }, visible(alert.title).slice(0, 240)),
        h("span", { class: "who" }, name(alert.asset.name, 80), place ? " to " : null, place, sensor ? " · " : null, sensor)),
      h("span", { class: "meta" }, short || alert.status === "open" ? null : h("span", { class: "status" }, STATUS[alert.status]),
        h("time", { datetime: alert.time, title: `${minute(alert.time)} UTC` }, agoShort(alert.time, sensorTime())))));
}

function select(label, key, query, options) {
  const chosen = query.get(key) ?? "";
  return h("label", {}, label, h("select", { name: key },
    h("option", { value: "" }, "any"),
    Object.entries(options).map(([value, text]) => h("option", { value, selected: value === chosen }, text))));
}

function filters(query) {
  const severities = Object.fromEntries(SEVERITIES.map((severity) => [severity, severity === "critical" ? severity : `${severity} and above`]));
  const analytics = Object.fromEntries(Object.entries(ANALYTICS).map(([id, title]) => [id, `${id} ${title}`]));
  const apply = () => {
    const next = new URLSearchParams();
    for (const [key, value] of new FormData(shown)) if (value) next.set(key, value);
    const text = next.toString();
    location.hash = text ? `#alerts?${text}` : "#alerts";
  };
  const shown = h("form", { class: "filters", role: "search", "aria-label": "Filter alerts", on: { change: apply, submit: (event) => { event.preventDefault(); apply(); } } },
    select("Severity", "min_severity", query, severities),
    select("Status", "status", query, STATUS),
    select("Analytic", "analytic", query, analytics),
    h("label", {}, "Asset", h("input", { type: "search", name: "asset", value: query.get("asset") ?? "", placeholder: "exact name", autocomplete: "off", spellcheck: "false", maxlength: "300" })),
    [...query.keys()].length ? h("a", { class: "clear", href: "#alerts" }, "Clear") : null);
  return shown;
}

export async function alerts(view, { query, signal }) {
  let limit = STEP;
  let said = null;
  const asked = new URLSearchParams();
  for (const key of ["min_severity", "status", "analytic", "asset"]) if (query.get(key)) asked.set(key, query.get(key));
  const [list, total] = [h("div", { class: "rows", role: "list" }), h("span", { class: "total", role: "status" })];
  const more = h("button", { type: "button", hidden: true, on: { click: () => { limit = Math.min(MOST, limit * 2); load(); } } }, "Show older");
  const load = async () => {
    const page = await get(`/api/alerts?${asked}${[...asked].length ? "&" : ""}limit=${limit}&brief=true`, signal);
    const text = JSON.stringify(page);
    total.textContent = page.more ? `the ${page.alerts.length} latest` : counted(page.alerts.length, "alert");
    more.hidden = !page.more || limit >= MOST;
    if (page.alerts.length === 0) fill(list, h("p", { class: "empty" }, [...asked].length ? "No alert is like that." : "No alerts so far."));
    // What is the same is left alone: nothing moves under the cursor.
    else if (text !== said) fill(list, page.alerts.map((alert) => row(alert)));
    said = text;
  };
  await load();
  fill(view, h("div", { class: "head" }, h("h1", {}, "Alerts"), total), filters(query), list, h("div", { class: "after" }, more));
  const again = () => load().catch(() => {});
  document.addEventListener("egret-changed", again, { signal });
  every(10000, signal, again);
}
