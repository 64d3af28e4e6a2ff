// Small charts, drawn from numbers. Each says in words what it shows.

import { h, svg } from "./dom.js";
import { bytes, clock, counted, utc } from "./words.js";

const round = (value) => Math.round(value * 10) / 10;

/** The least round number that is not below `value`. */
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

/** A line over time: `points` are { at, value }, the newest last; `kept` fit into the width. */
export function line(label, points, kept, format) {
  const [width, height] = [600, 110];
  const most = ceiling(Math.max(...points.map((point) => point.value), 0));
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: "line", "aria-hidden": "true" });
  for (const part of [0.5, 1]) {
    const y = height - part * (height - 6);
    drawing.append(svg("line", { x1: 0, x2: width, y1: y, y2: y, class: "grid" }));
  }
  const x = (index) => round(width - ((points.length - 1 - index) * width) / (kept - 1));
  const y = (value) => round(height - (value / most) * (height - 6));
  if (points.length > 1) {
    const path = points.map((point, index) => `${index ? "L" : "M"}${x(index)} ${y(point.value)}`).join("");
    drawing.append(svg("path", { d: `${path}L${width} ${height}L${x(0)} ${height}Z`, class: "area" }));
    drawing.append(svg("path", { d: path, class: "stroke" }));
  }
  const last = points.at(-1)?.value ?? 0;
  const words = points.length > 1 ? `${label}: ${format(last)} now, at most ${format(Math.max(...points.map((point) => point.value)))} since ${clock(new Date(points[0].at).toISOString())} UTC` : `${label}: not known yet`;
  return h("figure", { class: "chart", role: "img", "aria-label": words },
    h("figcaption", {}, h("span", {}, label), h("strong", {}, points.length ? format(last) : "…")),
    drawing, h("div", { class: "scale", "aria-hidden": "true" }, h("span", {}, "5 min ago"), h("span", {}, `top ${format(most)}`)));
}

/** Whether an hour, or a part of it, stands out. */
const isHigh = (hour) => hour.high ?? (hour.usual !== null && hour.bytes >= hour.usual[2]);

/** What hours show together: what moved, and in how many hours more than what stands out. */
export function read(hours) {
  const known = hours.filter((hour) => hour.bytes !== null);
  const total = known.reduce((sum, hour) => sum + hour.bytes, 0);
  const high = known.filter(isHigh).length;
  return { total, known: known.length, high, usual: hours.at(-1)?.usual };
}

function words(label, hours) {
  const { total, known, high, usual } = read(hours);
  if (known === 0) return `${label}: not known`;
  const all = `${label}: ${bytes(total)} in ${counted(known, "hour")}`;
  const habit = usual ? `, usually ${bytes(usual[0])} to ${bytes(usual[1])} in an hour that moves anything` : ", what is usual is not known yet";
  return `${all}${habit}${high ? `, ${counted(high, "hour")} stood out` : ""}`;
}

/** What is usual as one shape, so that nothing shows where hours meet. */
function band(hours, step, y) {
  let [path, low] = ["", ""];
  for (const [index, { usual }] of hours.entries()) {
    const [left, right] = [index * step, (index + 1) * step];
    if (usual) {
      const [bottom, top] = [Math.max(y(usual[0]), y(usual[1]) + 1), y(usual[1])];
      path += `${low ? "L" : "M"}${left} ${top}H${right}`;
      low = `L${right} ${bottom}H${left}${low}`;
    }
    if (low && (!usual || index === hours.length - 1)) {
      path += `${low}Z`;
      low = "";
    }
  }
  return path;
}

/** A bar an hour over the band of what is usual. `large`: with a scale and the hours' names. */
export function day(label, hours, { large = false, from = null } = {}) {
  const [step, height] = [10, large ? 90 : 32];
  const width = hours.length * step;
  const top = Math.max(...hours.flatMap((hour) => [hour.bytes ?? 0, hour.usual?.[1] ?? 0]), 1e6);
  const y = (value) => round(height - Math.min(1, value / top) * (height - 2));
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: large ? "day large" : "day", "aria-hidden": "true" });
  drawing.append(svg("path", { d: band(hours, step, y), class: "usual" }));
  for (const [index, hour] of hours.entries()) {
    const x = index * step;
    if (hour.bytes === null) {
      drawing.append(svg("rect", { x: x + 3, width: 4, y: height - 2, height: 1, class: "unknown" }));
    } else if (hour.bytes > 0) {
      const stands = isHigh(hour);
      const bar = svg("rect", { x: x + 1.5, width: step - 3, y: Math.min(y(hour.bytes), height - 1.5), height: round(Math.max(1.5, height - y(hour.bytes))), class: stands ? "bar high" : "bar" });
      if (from) bar.append(svg("title", {}, `${utc(new Date(from + index * 3600e3).toISOString()).slice(11, 16)} UTC: ${bytes(hour.bytes)}`));
      drawing.append(bar);
    }
  }
  const said = words(label, hours);
  if (!large) return h("div", { class: "spark", role: "img", "aria-label": said, title: said }, drawing);
  const at = (index) => utc(new Date(from + index * 3600e3).toISOString()).slice(11, 16);
  return h("figure", { class: "chart", role: "img", "aria-label": said },
    h("figcaption", {}, h("span", {}, label), h("strong", {}, bytes(read(hours).total))),
    drawing,
    h("div", { class: "scale", "aria-hidden": "true" }, h("span", {}, at(0)), h("span", {}, `top ${bytes(top)}`), h("span", {}, at(hours.length - 1))));
}

/** Several series of one asset as one: what is usual of each added up. */
export function together(...series) {
  const some = series.filter(Boolean);
  if (some.length === 0) return null;
  return some[0].map((_, index) => {
    const hours = some.map((one) => one[index]);
    const known = hours.filter((hour) => hour.bytes !== null);
    const usual = hours.filter((hour) => hour.usual).map((hour) => hour.usual);
    return {
      high: known.some((hour) => hour.usual !== null && hour.bytes >= hour.usual[2]),
      bytes: known.length ? known.reduce((sum, hour) => sum + hour.bytes, 0) : null,
      usual: usual.length ? [0, 1, 2].map((place) => usual.reduce((sum, of) => sum + of[place], 0)) : null,
    };
  });
}
