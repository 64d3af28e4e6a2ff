// What a person does about an alert: acknowledge it, approve where it went, take the packets along.

import { file, get, send } from "./api.js";
import { form, unlessCancelled } from "./dialog.js";
import { h, notice, visible } from "./dom.js";
import { access, token } from "./token.js";
import { counted } from "./words.js";

const changed = () => document.dispatchEvent(new Event("egret-changed"));

/** The buttons of an alert; `load` shows it anew. */
export function buttons(alert, load) {
  const can = access.can_change;
  const why = can ? (token() ? null : "Asks for the token") : "Set http.token_file in the sensor's config, and reload it";
  const button = (label, act, attributes = {}) => h("button", {
    type: "button", disabled: !can, title: why, ...attributes,
    on: { click: () => act(alert).then((done) => done && load()).catch(unlessCancelled).catch((error) => notice(error.message, "bad")) },
  }, label);
  const again = alert.status === "acknowledged";
  return h("div", { class: "actions" },
    button(again ? "Acknowledge again" : "Acknowledge", acknowledge, { class: again ? "" : "primary", data: { key: "ack" } }),
    alert.approvals.length ? button("Approve the destination", approve, { data: { key: "approve" } }) : null,
    alert.pcap === true ? button("Download packets", download, { disabled: false, title: "The first packets of its conversations, as pcapng", data: { key: "pcap" } }) : null,
    can ? null : h("p", { class: "help" }, "Read-only: to acknowledge and approve from here, set ", h("code", {}, "http.token_file"), " in the sensor's config. Until then: ", h("code", {}, `egret alerts ack ${alert.id.slice(0, 8)}`)));
}

async function acknowledge(alert) {
  const verdicts = [["", "No verdict"], ["harmless", "Harmless: a false alarm; it counts against the analytic's budget"], ["incident", "An incident: it is what it says"]];
  const content = [
    h("p", { class: "help" }, "It is seen by a person then, and open again only when it becomes worse."),
    h("label", {}, "Note", h("textarea", { name: "note", rows: "3", maxlength: "2000", placeholder: "what it was, the ticket" }, alert.note ?? "")),
    h("fieldset", {}, h("legend", {}, "Verdict"), verdicts.map(([value, text]) => h("label", { class: "choice" },
      h("input", { type: "radio", name: "verdict", value, checked: (alert.verdict ?? "") === value }), text))),
  ];
  await form("Acknowledge", "Acknowledge", content, async (data) => {
    const body = { note: data.get("note").trim() || undefined, verdict: data.get("verdict") || undefined };
    await send("POST", `/api/alerts/${alert.id}/ack`, body);
  });
  notice("Acknowledged.", "good");
  changed();
  return true;
}

const FIELDS = [["asset", "Assets"], ["role", "Roles"], ["sni", "Server names"], ["destination", "Addresses"], ["port", "Ports"]];

/** Exactly what an approval would match. */
function exactly(offered) {
  return h("dl", { class: "pairs tight" }, FIELDS.filter(([key]) => offered[key].length).map(([key, label]) =>
    h("div", {}, h("dt", {}, label), h("dd", {}, h("bdi", {}, visible(offered[key].join(", ")))))));
}

async function approve(alert) {
  const choices = alert.approvals.map((offered, index) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "which", value: String(index), checked: index === 0 }),
    h("span", {}, h("strong", {}, offered.role.length ? `Every asset of role ${offered.role.join(", ")}` : "This asset only"), exactly(offered))));
  const content = [
    h("p", { class: "help" }, "What is approved is never doubted again. Everything named must match."),
    h("fieldset", {}, h("legend", {}, "For whom"), choices),
    h("label", {}, "Note", h("input", { name: "note", maxlength: "2000", autocomplete: "off", placeholder: "why, for whoever reads this next" })),
    h("p", { class: "help" }, "Kept in the sensor's database, not in the config file, and in effect within seconds. ", h("code", {}, "egret baseline approvals"), " lists it, ", h("code", {}, "egret baseline unapprove"), " takes it back."),
  ];
  const given = await form("Approve the destination", "Approve", content, (data) => {
    const offered = alert.approvals[Number(data.get("which"))];
    const body = Object.fromEntries(FIELDS.filter(([key]) => offered[key].length).map(([key]) => [key, offered[key]]));
    const note = data.get("note").trim();
    return send("POST", "/api/approvals", note ? { ...body, note } : body);
  });
  notice(`Approval ${given.number}: ${given.sentence}.`, "good", ["Undo", () => takeBack(given.number)]);
  changed();
  return true;
}

async function takeBack(number) {
  try {
    await send("DELETE", `/api/approvals/${number}`);
    notice(`Approval ${number} is taken back.`, "good");
    changed();
  } catch (error) {
    if (error.name !== "Cancelled") notice(error.message, "bad");
  }
}

async function download(alert) {
  const packets = await file(`/api/alerts/${alert.id}/pcap`);
  const address = URL.createObjectURL(packets);
  h("a", { href: address, download: `egret-${alert.id.slice(0, 8)}.pcapng` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  return false;
}

/** What people approved beside the config, with a way back. */
export async function approvals(signal) {
  const { approvals: all } = await get("/api/approvals", signal);
  if (all.length === 0) return null;
  const rows = all.map((one) => h("li", {}, h("bdi", {}, visible(one.sentence)),
    h("span", { class: "help" }, ` ${one.number}, by ${visible(one.by)}${one.note ? `: ${visible(one.note)}` : ""} `),
    access.can_change ? h("button", { type: "button", class: "quiet", on: { click: () => takeBack(one.number) } }, "Take back") : null));
  return h("details", {}, h("summary", {}, `${counted(all.length, "approval")} given beside the config`), h("ul", { class: "plain" }, rows));
}
