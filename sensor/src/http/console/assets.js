// Everything that is watched: by name and role, with what each moved in the last day against what is usual.

import { get } from "./api.js";
import { approvals } from "./actions.js";
import { day, together } from "./chart.js";
import { badge, every, fill, h, name } from "./dom.js";
import { ROLES, bytes, counted, minute } from "./words.js";

const PAGE = 25;

/** The charts of these assets, as many as one answer has; none while detection is busy. */
export async function charts(names, signal) {
  if (names.length === 0) return {};
  try {
    return (await get(`/api/volumes?names=${encodeURIComponent(JSON.stringify(names))}`, signal)).assets;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return {};
  }
}

function line(asset, chart) {
  const series = chart?.series ?? {};
  const spark = (label, ...of) => {
    const hours = together(...of.map((key) => series[key]));
    return hours ? day(label, hours) : h("span", { class: "help" }, chart ? "nothing" : "…");
  };
  return h("div", { role: "listitem" }, h("a", { class: "row asset", href: `#asset=${encodeURIComponent(asset.name)}`, data: { key: asset.name } },
    h("span", { class: "what" }, h("span", { class: "title" }, name(asset.name, 120)),
      h("span", { class: "who" }, ROLES[asset.role] ?? asset.role, asset.host ? [" on ", name(asset.host, 60)] : null)),
    h("span", { class: "cell" }, h("span", { class: "label" }, "Out, 24 h"), spark("Out", "out-external", "out-internal")),
    h("span", { class: "cell" }, h("span", { class: "label" }, "In, 24 h"), spark("In", "in-external", "in-internal")),
    h("span", { class: "cell total" }, h("span", {}, h("span", { class: "label" }, "out "), bytes(asset.bytes_out)), h("span", {}, h("span", { class: "label" }, "in "), bytes(asset.bytes_in))),
    h("span", { class: "meta" }, asset.first_seen === null ? badge("plain", "not seen yet") : asset.learning ? badge("info", "learning") : badge("plain", "learned"),
      asset.first_seen ? h("time", { datetime: asset.first_seen, title: "first seen, UTC" }, minute(asset.first_seen)) : null)));
}

function filters(query) {
  const apply = () => {
    const next = new URLSearchParams();
    for (const [key, value] of new FormData(shown)) if (value) next.set(key, value);
    location.hash = next.toString() ? `#assets?${next}` : "#assets";
  };
  const shown = h("form", { class: "filters", role: "search", "aria-label": "Find assets", on: { change: apply, submit: (event) => { event.preventDefault(); apply(); } } },
    h("label", {}, "Name", h("input", { type: "search", name: "text", value: query.get("text") ?? "", placeholder: "part of it", autocomplete: "off", spellcheck: "false", maxlength: "300" })),
    h("label", {}, "Role", h("select", { name: "role" }, h("option", { value: "" }, "any"),
      Object.entries(ROLES).map(([value, text]) => h("option", { value, selected: query.get("role") === value }, text)))),
    [...query.keys()].length ? h("a", { class: "clear", href: "#assets" }, "Clear") : null);
  return shown;
}

function pager(page, query) {
  const link = (text, offset) => {
    if (offset < 0 || offset >= page.total || offset === page.offset) return h("span", { class: "help" }, text);
    const next = new URLSearchParams(query);
    next.set("offset", offset);
    return h("a", { href: `#assets?${next}` }, text);
  };
  if (page.total <= PAGE) return null;
  const last = Math.min(page.total, page.offset + page.assets.length);
  return h("nav", { class: "after", "aria-label": "Pages" }, link("Back", page.offset - PAGE), h("span", {}, `${page.offset + 1} to ${last} of ${page.total}`), link("Next", page.offset + PAGE));
}

function draw(list, page, of) {
  if (page.assets.length === 0) return fill(list, h("p", { class: "empty" }, "No asset is like that."));
  const headings = ["Asset", "Out, 24 h", "In, 24 h", "Since the start", "State, first seen (UTC)"];
  fill(list, h("div", { class: "row asset headings", "aria-hidden": "true" }, headings.map((text) => h("span", {}, text))),
    page.assets.map((asset) => line(asset, of[asset.name])));
}

export async function assets(view, { query, signal }) {
  const asked = new URLSearchParams({ limit: PAGE });
  for (const key of ["text", "role", "offset"]) if (query.get(key)) asked.set(key, query.get(key));
  const [list, total, below, given] = [h("div", { class: "rows", role: "list" }), h("span", { class: "total", role: "status" }), h("div"), h("div")];
  let said = null;
  const load = async () => {
    const page = await get(`/api/assets?${asked}`, signal);
    total.textContent = counted(page.total, "asset");
    if (said === null) draw(list, page, {});
    fill(below, pager(page, query));
    return page;
  };
  const whole = async () => {
    const page = await load();
    const of = await charts(page.assets.map((asset) => asset.name), signal);
    const text = JSON.stringify([page, of]);
    if (text === said || signal.aborted) return;
    said = text;
    draw(list, page, of);
  };
  await load();
  fill(view, h("div", { class: "head" }, h("h1", {}, "Assets"), total), filters(query),
    h("p", { class: "key" }, h("span", { class: "swatch bar" }), "moved in an hour", h("span", { class: "swatch usual" }), "usual for it", h("span", { class: "swatch high" }), "stands out"),
    list, below, given);
  const people = () => approvals(signal).then((shown) => fill(given, shown)).catch(() => {});
  people();
  document.addEventListener("egret-changed", people, { signal });
  every(60000, signal, () => whole().catch(() => {}));
}
