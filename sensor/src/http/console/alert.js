// One alert: what it says, why, what to do next, and what people said of it.

import { get } from "./api.js";
import { badge, card, every, fill, h, visible } from "./dom.js";
import { buttons } from "./actions.js";
import { ANALYTICS, STATUS, clock, count, minute, utc } from "./words.js";

/** What a weight in nats means: how much likelier the evidence makes it. */
function strength(weight) {
  const size = Math.abs(weight);
  if (size < 0.05) return "tells the story";
  const how = size >= 4 ? "very strongly" : size >= 2 ? "strongly" : size >= 0.7 ? "somewhat" : "a little";
  return `speaks ${how} ${weight > 0 ? "for it" : "against it"}`;
}

function piece(evidence, text, day) {
  const weight = evidence.weight;
  const shown = Math.abs(weight) < 0.05 ? "" : `${weight > 0 ? "+" : "−"}${Math.abs(weight).toFixed(1)}`;
  const part = Math.min(100, Math.abs(weight) * 10);
  const bar = h("meter", { class: weight > 0 ? "for" : "against", min: "0", max: "100", value: String(part), "aria-hidden": "true" });
  const date = minute(evidence.time).slice(0, 10);
  return h("li", { class: Math.abs(weight) < 0.05 ? "story" : weight > 0 ? "for" : "against" },
    h("time", { datetime: evidence.time, title: `${utc(evidence.time)} UTC` }, date === day ? null : h("span", { class: "date" }, date), clock(evidence.time)),
    h("span", { class: "said" }, h("bdi", {}, visible(text))),
    h("span", { class: "weight", title: `${strength(weight)}; its share of the log-odds, in nats` }, shown, shown ? bar : null, h("span", { class: "hidden" }, strength(weight))));
}

function timeline(alert) {
  const told = alert.evidence.map((evidence, index) => [evidence, alert.explained.evidence[index] ?? evidence.kind]);
  told.sort(([one], [other]) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0));
  const sum = alert.evidence.reduce((all, one) => all + one.weight, 0);
  let day = "";
  const rows = told.map(([evidence, text]) => {
    const row = piece(evidence, text, day);
    day = minute(evidence.time).slice(0, 10);
    return row;
  });
  return card("Why", {},
    h("ol", { class: "timeline" }, rows),
    h("p", { class: "help" }, `Times are UTC. Weights are log-odds in nats: together ${sum > 0 ? "+" : "−"}${Math.abs(sum).toFixed(1)}, and so ${(100 * alert.confidence).toFixed(0)} % sure.`));
}

function facts(alert) {
  const { explained } = alert;
  const rows = [
    ["Who", h("a", { href: `#asset=${encodeURIComponent(alert.asset.name)}` }, h("bdi", {}, visible(explained.who)))],
    ["Where", explained.where ? h("bdi", {}, visible(explained.where)) : null],
    ["How much", explained.how_much.length ? explained.how_much.map((text) => h("div", {}, visible(text))) : null],
    ["Since", visible(explained.since)],
    ["Sensor", h("bdi", {}, visible(alert.sensor))],
    ["Sure", `${(100 * alert.confidence).toFixed(0)} %`],
    ["Technique", `${alert.techniques.join(", ")} (MITRE ATT&CK), by analytic ${alert.analytic}`],
  ];
  return h("dl", { class: "pairs" }, rows.filter(([, value]) => value).map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
}

function said(alert) {
  const lines = [`First raised ${minute(alert.raised)} UTC; ${alert.count > 1 ? `told ${count(alert.count)} times` : "told once"}.`];
  const seen = alert.acknowledged;
  if (seen) {
    const verdict = alert.verdict ? ` as ${alert.verdict === "harmless" ? "harmless" : "an incident"}` : "";
    const again = alert.status === "open" ? " It became worse since, and is open again." : "";
    lines.push(`Acknowledged ${minute(seen.at)} UTC by ${visible(seen.by)}${verdict}.${again}`);
  }
  if (alert.status === "suppressed") lines.push("Held back: weak, and beyond the site's budget of alerts.");
  return card("What became of it", {}, lines.map((text) => h("p", {}, text)),
    alert.note ? h("blockquote", {}, h("bdi", {}, visible(alert.note))) : null);
}

function next(alert) {
  return card("What to do next", {},
    h("ol", { class: "steps" }, alert.explained.next.map((step) => h("li", {}, h("bdi", {}, visible(step))))),
    h("p", { class: "help" }, "Runbook: ", h("code", {}, visible(alert.runbook)), " in the documentation; in a shell ", h("code", {}, `egret alerts show ${alert.id.slice(0, 8)}`), "."));
}

export async function alert(view, { one, signal }) {
  let said_before = null;
  const load = async () => {
    const alert = await get(`/api/alerts/${encodeURIComponent(one)}`, signal);
    const text = JSON.stringify(alert);
    if (text === said_before) return;
    said_before = text;
    document.title = `${visible(alert.title).slice(0, 80)} · Egret`;
    fill(view,
      h("p", { class: "path" }, h("a", { href: "#alerts", data: { key: "back" } }, "Alerts"), " / ", h("code", {}, alert.id.slice(0, 8))),
      h("section", { class: `card lead ${alert.severity}` },
        h("div", { class: "badges" }, badge(alert.severity, alert.severity), badge(alert.status === "open" ? "open" : "plain", STATUS[alert.status]),
          h("span", { class: "help" }, ANALYTICS[alert.analytic] ?? alert.analytic)),
        h("h1", {}, h("bdi", {}, visible(alert.title).slice(0, 400))),
        h("p", { class: "summary" }, h("bdi", {}, visible(alert.summary).slice(0, 1500))),
        buttons(alert, load), facts(alert)),
      h("div", { class: "overview" }, h("div", { class: "column" }, timeline(alert)), h("div", { class: "column" }, next(alert), said(alert))));
  };
  await load();
  every(10000, signal, () => load().catch(() => {}));
}
