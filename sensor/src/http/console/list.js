// Lists by keyboard: j, k and the arrows go from row to row, Home and End to the first and the last. A row is
// a link, so Enter opens it.

const ROWS = "a.row";

const isTyping = (target) => target.closest("input, select, textarea, dialog") !== null;

/** Moves the focus within the list that is shown; whether there was one. */
export function move(key) {
  const rows = [...document.querySelectorAll(`#view ${ROWS}`)];
  if (rows.length === 0) return false;
  const at = rows.indexOf(document.activeElement);
  const next = { j: at + 1, ArrowDown: at + 1, k: at < 0 ? 0 : at - 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: rows.length - 1 }[key];
  const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  return true;
}

/** Listens; `back` is called for Esc, `go` for the number of a view. */
export function listen(back, go) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "Escape") {
      back();
    } else if (/^[1-5]$/.test(event.key)) {
      go(Number(event.key) - 1);
    } else if (["j", "k"].includes(event.key)) {
      if (move(event.key)) event.preventDefault();
    } else if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) && event.target.matches(ROWS)) {
      if (move(event.key)) event.preventDefault();
    }
  });
}
