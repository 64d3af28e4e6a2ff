// What the sensor hears from, and how well: mirrors, senders of logs, audit records, exporters of flow records.

import { get } from "./api.js";
import { badge, card, every, fill, h, name, visible } from "./dom.js";
import { ago, count, counted, percent, span } from "./words.js";

/** A sender that was silent for so long is worth a look. */
const SILENT = 15 * 60e3;
/** A clock that is off by more is, too; what it says is corrected. */
const OFF = 60;

function table(columns, rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, columns.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) => index === 0
      ? h("th", { scope: "row" }, cell)
      : h("td", { data: { label: columns[index] }, class: typeof cell === "string" && /^[\d<]/.test(cell) ? "number" : null }, cell))))));
}

function source(report) {
  const from = report.interface ?? "a file";
  if (!report.tunnel) return name(from, 40);
  const { kind, id, src_ip } = report.tunnel;
  return h("span", {}, name(from, 40), h("span", { class: "help" }, ` ${kind}${id === undefined ? "" : ` ${id}`} from ${src_ip}`));
}

function mirrors(said) {
  const columns = ["Source", "Health", "Second copies", "One side only", "Cut", "Missing", "Shown"];
  const rows = said.mirror.sources.map((one) => [source(one),
    h("span", {}, badge(one.is_well ? "good" : "warn", one.is_well ? "well" : "look"), one.is_well ? null : h("span", { class: "said" }, visible(` ${one.health}`))),
    percent(one.duplicates), percent(one.one_sided), percent(one.truncated), percent(one.lost), one.one_in > 1 ? `1 in ${one.one_in.toFixed(1)}` : "all"]);
  const lost = said.interfaces.reduce((sum, one) => sum + one.dropped, 0);
  return card("Mirrors", {},
    rows.length ? table(columns, rows) : h("p", { class: "empty" }, "No packets yet. docs/where-to-mirror.md says how to get them here; egret check says what is wrong."),
    h("p", { class: "help" }, `Shares are of the last minutes. Lost here since the start: ${counted(lost, "packet")}. Volumes of a mirror that shows only some packets are corrected.`));
}

function offset(ahead) {
  if (ahead === null || ahead === undefined) return "not told";
  if (Math.abs(ahead) < 1) return "right";
  const by = Math.abs(ahead) >= 10 ? span(1000 * Math.abs(ahead)) : `${Math.abs(ahead).toFixed(1)} s`;
  return `${by} ${ahead > 0 ? "ahead" : "behind"}`;
}

function syslog(said, now) {
  const counts = said.counts.syslog;
  const bad = ["refused", "dropped", "unreadable"].filter((key) => counts[key]).map((key) => `${count(counts[key])} ${key}`);
  if (said.counts.syslog_missing) bad.push(`${count(said.counts.syslog_missing)} events of hosts never came`);
  const rows = said.syslog.map((one) => {
    const isSilent = now - Date.parse(one.last) > SILENT;
    const isOff = Math.abs(one.clock_ahead ?? 0) > OFF;
    const [kind, word] = isSilent ? ["warn", "silent"] : isOff ? ["warn", "clock"] : ["good", "well"];
    return [name(one.address, 60), badge(kind, word), one.transport, ago(one.last, now), count(one.messages), count(one.understood), offset(one.clock_ahead)];
  });
  return card("Log senders", {},
    !said.takes_syslog && rows.length === 0 ? h("p", { class: "empty" }, "No logs are listened for: [intake.syslog] in the config. Messages seen on the mirror are read all the same.")
      : rows.length === 0 ? h("p", { class: "empty" }, "Listening; nobody has sent anything yet.")
        : table(["Sender", "Health", "By", "Last message", "Messages", "Of use", "Clock"], rows),
    bad.length ? h("p", { class: "bad" }, bad.join(", ")) : null,
    h("p", { class: "help" }, "Of use: what detection asks for. A clock that is off is corrected for."));
}

function audit(said, now) {
  const counts = { ...said.counts.audit };
  const all = Object.values(counts).reduce((sum, number) => sum + number, 0);
  const requests = Object.entries(said.counts.audit_requests).map(([key, number]) => `${count(number)} ${key}`);
  if (!said.takes_audit && all === 0) return card("Audit records", {}, h("p", { class: "empty" }, "None are taken in: [intake.audit] in the config."));
  const facts = [["Files followed", count(said.audit_files)], ["Last record", ago(said.last_audit, now)], ["Records", all ? Object.entries(counts).map(([key, number]) => `${count(number)} ${key.replaceAll("_", " ")}`).join(", ") : "none yet"], ["Posted", requests.join(", ") || "nothing"]];
  return card("Audit records", {}, h("dl", { class: "pairs" }, facts.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value)))));
}

function flows(said, now) {
  const counts = said.counts.flow_datagrams;
  const rows = said.exporters.map((one) => [h("span", {}, name(one.address, 60), one.agent ? h("span", { class: "help" }, ` for ${one.agent}`) : null),
    badge(now - Date.parse(one.last) > SILENT ? "warn" : "good", now - Date.parse(one.last) > SILENT ? "silent" : "well"),
    one.protocol, count(one.domain), count(one.templates), ago(one.last, now)]);
  const bad = ["refused", "dropped"].filter((key) => counts[key]).map((key) => `${counted(counts[key], "datagram")} ${key}`);
  return card("Flow exporters", {},
    !said.takes_flows ? h("p", { class: "empty" }, "None are listened for: [intake.flows] in the config.")
      : rows.length === 0 ? h("p", { class: "empty" }, "Listening; nobody exports yet.")
        : table(["Exporter", "Health", "Protocol", "Domain", "Templates", "Last datagram"], rows),
    bad.length ? h("p", { class: "bad" }, bad.join(", ")) : null);
}

function interfaces(said, now) {
  const rows = said.interfaces.map((one) => [name(one.name, 40), badge(one.state === "up" ? "good" : "bad", visible(one.state)), count(one.packets), count(one.dropped), ago(one.last_packet, now), h("span", { class: "said" }, visible(one.backend))]);
  return card("Interfaces", {}, table(["Interface", "State", "Packets", "Lost", "Last packet", "Taken by"], rows));
}

function fleet(said, now) {
  const link = said.fleet;
  if (!link) return null;
  const facts = [
    ["Site", visible(link.site)],
    ["Connection", link.connected ? badge("good", "connected") : badge("warn", "away")],
    [link.connected ? "Since" : "Last change", ago(link.since, now)],
    link.server ? ["Server", name(link.server, 60)] : null,
    link.error ? ["What went wrong", h("bdi", {}, visible(link.error))] : null,
  ].filter(Boolean);
  return card("Fleet", {}, h("dl", { class: "pairs" }, facts.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value)))),
    link.connected ? null : h("p", { class: "help" }, "This sensor works alone; what it owes the others waits on its disk."));
}

export async function sources(view, { signal }) {
  const load = async () => {
    const said = await get("/api/sources", signal);
    const now = Date.parse(said.now);
    fill(view, h("div", { class: "head" }, h("h1", {}, "Sources")), mirrors(said), interfaces(said, now), syslog(said, now), audit(said, now), flows(said, now), fleet(said, now));
  };
  await load();
  every(5000, signal, () => load().catch(() => {}));
}
