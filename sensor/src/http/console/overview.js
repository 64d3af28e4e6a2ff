// Is all well? What moves, what is open, what is learned.

import { get } from "./api.js";
import { line } from "./chart.js";
import { badge, card, every, fill, h, name, visible } from "./dom.js";
import * as live from "./live.js";
import { SEVERITIES, ago, bits, count, counted, minute, percent, rate, span } from "./words.js";
import { row } from "./alerts.js";

/** What a person should look at, each a sentence and where it leads. */
function concerns(status, counts) {
  const all = [];
  const say = (kind, text, to) => all.push({ kind, text, to });
  if (live.now.error) say("bad", `The sensor does not answer: ${live.now.error}. What is shown is of ${minute(status?.now)} UTC.`);
  if (!status) return all;
  if (!status.workers_alive) say("bad", "A worker has not looked for packets within the last seconds.");
  if (status.store_error) say("bad", `Alerts cannot be stored: ${status.store_error}`);
  if (status.clock_error) say("bad", status.clock_error);
  if (status.reload_error) say("warn", `The config was not reloaded: ${status.reload_error}`);
  for (const one of status.interfaces) {
    if (one.state !== "up") say("bad", `Interface ${one.name}: ${one.state}`, "#sources");
  }
  if (status.fleet && !status.fleet.connected) say("warn", "There is no connection to the fleet; this sensor works alone.", "#fleet");
  if (status.interfaces.length === 0 && !status.is_relay) say("bad", "No interface is open.", "#sources");
  for (const source of status.mirror.sources.filter((source) => !source.is_well)) {
    say("warn", `The mirror at ${source.interface ?? "a file"} ${source.health}`, "#sources");
  }
  const urgent = (counts?.open?.critical ?? 0) + (counts?.open?.high ?? 0);
  if (urgent > 0) say("bad", `${counted(urgent, "alert")} of high severity or above ${urgent === 1 ? "is" : "are"} open.`, "#alerts?min_severity=high&status=open");
  return all.sort((one, other) => (one.kind === "bad" ? 0 : 1) - (other.kind === "bad" ? 0 : 1));
}

function health(status, counts) {
  const all = concerns(status, counts);
  if (!status) return h("section", { class: "card health" }, h("h1", {}, "Overview"), h("p", {}, "The sensor has not answered yet."));
  const title = all.length === 0 ? "All is well" : counted(all.length, "thing") + (all.length === 1 ? " needs" : " need") + " a look";
  const kind = all.length === 0 ? "good" : all.some((one) => one.kind === "bad") ? "bad" : "warn";
  const said = all.length === 0
    ? [h("p", {}, "Packets are read, alerts are stored, and nothing of high severity is open.")]
    : [h("ul", { class: "concerns" }, all.map((one) => h("li", { class: one.kind }, one.to ? h("a", { href: one.to }, visible(one.text)) : visible(one.text))))];
  return h("section", { class: `card health ${kind}` }, h("h1", {}, title), ...said);
}

function traffic(status) {
  const of = (field) => live.rates.map((one) => ({ at: one.at, value: one[field] }));
  const received = live.rates.reduce((sum, one) => sum + one.received, 0);
  const lost = live.rates.reduce((sum, one) => sum + one.lost, 0);
  const share = received + lost > 0 ? lost / (received + lost) : 0;
  const facts = [
    ["Lost, last minutes", lost > 0 ? `${percent(share)} (${counted(lost, "packet")})` : "nothing", lost > 0],
    ["Second copies", percent(status?.mirror.duplicates)],
    ["Seen from one side", percent(status?.mirror.one_sided)],
    ["Conversations", count(status?.flows)],
  ];
  return card("Traffic", { class: "wide" },
    h("div", { class: "charts" },
      line("Bits", of("bits"), live.KEPT, bits),
      line("Packets", of("packets"), live.KEPT, (value) => rate(value, "packets"))),
    h("dl", { class: "facts" }, facts.map(([label, value, isBad]) => h("div", {}, h("dt", {}, label), h("dd", { class: isBad ? "bad" : null }, value)))));
}

function open(counts, latest) {
  const boxes = SEVERITIES.map((severity) => {
    const number = counts?.open?.[severity] ?? 0;
    return h("a", { class: `box ${severity}${number ? "" : " none"}`, href: `#alerts?status=open&min_severity=${severity}`, data: { key: severity } },
      h("strong", {}, count(number)), h("span", {}, severity === "informational" ? "info" : severity));
  });
  const more = [
    counts?.acknowledged ? h("a", { href: "#alerts?status=acknowledged" }, `${count(counts.acknowledged)} acknowledged`) : null,
    counts?.suppressed ? h("a", { href: "#alerts?status=suppressed" }, `${count(counts.suppressed)} held back beyond the budget`) : null,
  ].filter(Boolean);
  return card("Open alerts", {},
    h("div", { class: "boxes" }, boxes),
    latest.length ? h("div", { class: "rows", role: "list" }, latest.map((alert) => row(alert, true))) : h("p", { class: "empty" }, "Nothing is open."),
    more.length ? h("p", { class: "more" }, more.flatMap((link, index) => (index ? [" · ", link] : [link]))) : null);
}

function interfaces(status) {
  const now = Date.parse(status?.now);
  const rows = (status?.interfaces ?? []).map((one) => h("tr", {},
    h("th", { scope: "row" }, name(one.name, 40)),
    h("td", { data: { label: "State" } }, badge(one.state === "up" ? "good" : "bad", visible(one.state))),
    h("td", { class: "number", data: { label: "Packets" } }, count(one.packets)),
    h("td", { class: "number", data: { label: "Lost" } }, count(one.dropped)),
    h("td", { data: { label: "Last packet" } }, ago(one.last_packet, now)),
    h("td", { data: { label: "Taken by" } }, visible(one.backend))));
  return card("Interfaces", {}, h("table", {},
    h("thead", {}, h("tr", {}, ["Interface", "State", "Packets", "Lost", "Last packet", "Taken by"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows)));
}

function learning(status) {
  const { assets = 0, until } = status?.learning ?? {};
  const total = status?.assets ?? 0;
  const left = until ? span(Date.parse(until) - Date.parse(status.now)) : "";
  const words = total === 0 ? "No asset has been seen yet."
    : assets === 0 ? "Everything that was seen is learned; what is new is judged as new."
      : `${counted(assets, "asset")} of ${count(total)} ${assets === 1 ? "is" : "are"} still being learned, the last until ${minute(until)} UTC (${left}). Until then less is told of them.`;
  const done = total ? Math.round((100 * (total - assets)) / total) : 0;
  return card("Learning", {},
    h("p", {}, words),
    total ? h("progress", { max: 100, value: done, "aria-label": `${done} % learned` }) : null,
    h("p", { class: "more" }, h("a", { href: "#assets" }, counted(total, "asset")), status ? ` · watching since ${minute(status.started)} UTC` : ""));
}

export async function overview(view, { signal }) {
  let counts = null;
  let latest = [];
  const [top, left, right] = [h("div"), h("div", { class: "column" }), h("div", { class: "column" })];
  fill(view, h("div", { class: "overview" }, top, left, right));
  const show = () => {
    const { status } = live.now;
    fill(top, health(status, counts));
    fill(left, traffic(status), interfaces(status));
    fill(right, open(counts, latest), learning(status));
  };
  await every(10000, signal, async () => {
    try {
      const [numbers, page] = await Promise.all([get("/api/alerts/counts", signal), get("/api/alerts?status=open&limit=5&brief=true", signal)]);
      [counts, latest] = [numbers, page.alerts];
    } catch {
      // The line at the top says that the sensor does not answer.
    }
    if (!signal.aborted) show();
  });
  live.follow(signal, show);
}
