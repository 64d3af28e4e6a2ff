// One asset: what it moved hour by hour against what is usual, and where it goes.

import { get } from "./api.js";
import { day } from "./chart.js";
import { badge, card, every, fill, h, name, visible } from "./dom.js";
import { row } from "./alerts.js";
import { ROLES, bytes, count, counted, minute } from "./words.js";

const SERIES = { "out-external": "Out, to outside", "out-internal": "Out, to inside", "in-external": "In, from outside", "in-internal": "In, from inside" };
const STATES = { approved: "good", usual: "plain", learning: "info" };

function charts(volumes) {
  const from = Date.parse(volumes.from);
  const drawn = Object.entries(SERIES).filter(([key]) => volumes.series[key])
    .map(([key, label]) => day(label, volumes.series[key], { large: true, from }));
  if (drawn.length === 0) return [h("p", { class: "empty" }, "Nothing was seen of it yet.")];
  return [h("p", { class: "key" }, h("span", { class: "swatch bar" }), "moved in an hour (UTC)", h("span", { class: "swatch usual" }), "usual for an hour that moves anything", h("span", { class: "swatch high" }), "stands out"),
    h("div", { class: "charts four" }, drawn), numbers(volumes, from)];
}

/** The same in numbers, for whoever does not see the drawings. */
function numbers(volumes, from) {
  const series = Object.entries(SERIES).filter(([key]) => volumes.series[key]);
  const hours = volumes.series[series[0][0]].map((_, index) => h("tr", {},
    h("th", { scope: "row" }, `${minute(new Date(from + index * 3600e3).toISOString()).slice(5)}`),
    series.map(([key, label]) => {
      const hour = volumes.series[key][index];
      return h("td", { class: "number", data: { label } }, hour.bytes === null ? "not known" : bytes(hour.bytes), hour.usual ? h("span", { class: "help" }, ` (${bytes(hour.usual[0])} to ${bytes(hour.usual[1])})`) : null);
    })));
  return h("details", {}, h("summary", {}, "In numbers"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Hours in numbers" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Hour (UTC)", ...series.map(([, label]) => label)].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, hours))));
}

function destinations(asset) {
  if (asset.destinations.length === 0) return card("Where it goes outside", {}, h("p", { class: "empty" }, "It was never seen to reach outside over TLS. What is learned is kept every 5 minutes."));
  const columns = ["Destination", "State", "Why", "First seen", "Last seen", "Sessions", "Usual day", "30 days"];
  const rows = asset.destinations.map((one) => h("tr", {},
    h("th", { scope: "row" }, name(one.name, 120)),
    h("td", { data: { label: columns[1] } }, badge(STATES[one.state], one.state)),
    h("td", { data: { label: columns[2] }, class: "text" }, visible(one.why)),
    h("td", { class: "date", data: { label: columns[3] } }, minute(one.first_seen).slice(0, 10)),
    h("td", { class: "date", data: { label: columns[4] } }, minute(one.last_seen).slice(0, 10)),
    h("td", { class: "number", data: { label: columns[5] } }, count(one.sessions)),
    h("td", { class: "number", data: { label: columns[6] } }, bytes(one.usual_day_bytes)),
    h("td", { class: "number", data: { label: columns[7] } }, bytes(one.bytes_30_days))));
  const left = asset.destination_count - rows.length;
  return card("Where it goes outside", {}, h("table", {}, h("thead", {}, h("tr", {}, columns.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
    left > 0 ? h("p", { class: "help" }, `and ${counted(left, "place")} more: egret baseline list`) : null);
}

function lead(asset) {
  const learning = asset.learned_by ? `still being learned, until ${minute(asset.learned_by)} UTC` : asset.first_seen ? "learned" : "not seen yet";
  const facts = [
    ["Role", ROLES[asset.role] ?? asset.role],
    ["Runs on", asset.host ? name(asset.host) : null],
    ["First seen", asset.first_seen ? `${minute(asset.first_seen)} UTC` : "never"],
    ["State", learning],
    ["Known by", asset.configured ? "the config or the inventory" : "discovery, by its MAC address"],
    ["Since the start", `${bytes(asset.bytes_out)} out, ${bytes(asset.bytes_in)} in`],
  ];
  return h("section", { class: "card lead" }, h("h1", {}, name(asset.name)),
    h("dl", { class: "pairs" }, facts.filter(([, value]) => value).map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value)))));
}

export async function asset(view, { one, signal }) {
  let before = null;
  const load = async () => {
    const [asset, alerts] = await Promise.all([get(`/api/assets/${encodeURIComponent(one)}`, signal), get(`/api/alerts?asset=${encodeURIComponent(one)}&limit=5&brief=true`, signal)]);
    const text = JSON.stringify([asset, alerts]);
    if (text === before) return;
    before = text;
    document.title = `${visible(asset.name).slice(0, 80)} · Egret`;
    fill(view,
      h("p", { class: "path" }, h("a", { href: "#assets", data: { key: "back" } }, "Assets"), " / ", name(asset.name, 60)),
      lead(asset),
      card("The last 24 hours", {}, ...charts(asset.volumes)),
      destinations(asset),
      asset.approved.length ? card("Approved for it", {}, h("ul", { class: "plain" }, asset.approved.map((text) => h("li", {}, h("bdi", {}, visible(text)))))) : null,
      card("Its alerts", {}, alerts.alerts.length ? h("div", { class: "rows", role: "list" }, alerts.alerts.map((alert) => row(alert))) : h("p", { class: "empty" }, "None."),
        alerts.more ? h("p", { class: "more" }, h("a", { href: `#alerts?asset=${encodeURIComponent(one)}` }, "All of them")) : null));
  };
  await load();
  every(20000, signal, () => load().catch(() => {}));
}
