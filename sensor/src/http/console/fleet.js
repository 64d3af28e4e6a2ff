// All sensors of the estate and how each is, as it told itself.

import { get } from "./api.js";
import { badge, card, every, fill, h, name, visible } from "./dom.js";
import { ago, count, counted, minute } from "./words.js";

/** A sensor tells how it is each 10 s; one that has not for so long is worth a look. */
const SILENT = 45e3;

function health(one, now) {
  if (now - Date.parse(one.time) > SILENT) return ["bad", "silent"];
  if (one.problems.length) return ["warn", "look"];
  return ["good", "well"];
}

function line(one, told, now) {
  const [kind, word] = health(one, now);
  const isThis = one.sensor === told.sensor && one.site === told.connection.site;
  const down = one.interfaces.filter((each) => each.state !== "up").map((each) => `${each.name}: ${each.state}`);
  const said = [...one.problems, ...down];
  return h("tr", {},
    h("th", { scope: "row" }, name(one.sensor, 64), isThis ? h("span", { class: "help" }, " (this one)") : null),
    h("td", { data: { label: "Site" } }, name(one.site, 32)),
    h("td", { data: { label: "Health" } }, badge(kind, word), said.length ? h("span", { class: "said" }, visible(` ${said.join("; ")}`)) : null),
    h("td", { data: { label: "Told" } }, h("time", { datetime: one.time, title: `${minute(one.time)} UTC` }, ago(one.time, now))),
    h("td", { class: "number", data: { label: "Packets" } }, count(one.packets)),
    h("td", { class: "number", data: { label: "Lost" } }, count(one.lost)),
    h("td", { class: "number", data: { label: "Assets" } }, count(one.assets)),
    h("td", { class: "number", data: { label: "Alerts" } }, count(one.alerts)),
    h("td", { class: "number", data: { label: "Waiting" } }, count(one.pending)),
    h("td", { data: { label: "Version" } }, name(one.version, 24)));
}

function connection(link, read, now) {
  if (link.connected) return null;
  const since = link.since ? `, since ${minute(link.since)} UTC` : "";
  const why = link.error ? `: ${link.error}` : ".";
  const known = read ? ` What is shown was read ${ago(read, now)}.` : " Nothing is known of the others yet.";
  return h("section", { class: "card health warn" }, h("h2", {}, "This sensor is alone"),
    h("p", {}, visible(`There is no connection to the fleet${since}${why}`)), h("p", {}, known.trim()));
}

function draw(view, told) {
  const now = Date.parse(told.now);
  const title = h("div", { class: "head" }, h("h1", {}, "Fleet"), h("span", { class: "total", role: "status" }, counted(told.sensors.length, "sensor")));
  if (!told.connection) {
    fill(view, title, h("p", { class: "empty" }, "This sensor is alone. [fleet] in the config names the servers by which others are reached; docs/fleet.md says how."));
    return;
  }
  const columns = ["Sensor", "Site", "Health", "Told", "Packets", "Lost", "Assets", "Alerts", "Waiting", "Version"];
  const rows = told.sensors.map((one) => line(one, told, now));
  fill(view, title, connection(told.connection, told.read, now),
    card("Sensors", {},
      rows.length === 0 ? h("p", { class: "empty" }, "No sensor has told of itself yet.")
        : h("table", {}, h("thead", {}, h("tr", {}, columns.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
      h("p", { class: "help" }, "Each sensor tells this of itself every 10 s; counts are since its start. Waiting: what it has not delivered yet.")));
}

export async function fleet(view, { signal }) {
  const load = async () => draw(view, await get("/api/fleet", signal));
  await load();
  every(5000, signal, () => load().catch(() => {}));
}
