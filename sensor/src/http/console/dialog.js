// A question in front of the page. Esc and Cancel close it; the focus goes back to where it was.

import { h, visible } from "./dom.js";

/** Dialogs so far: one may be in front of another. */
let number = 0;

/** The dialog was closed without an answer. */
export class Cancelled extends Error {
  constructor() {
    super("cancelled");
    this.name = "Cancelled";
  }
}

/**
 * Shows `content` above a button `label`, which calls `act` with the form's data; what that throws is said,
 * and the dialog stays. Resolves with what it returns.
 */
export function form(title, label, content, act) {
  return new Promise((resolve, reject) => {
    const before = document.activeElement;
    const title_id = `dialog-${number += 1}`;
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const go = h("button", { type: "submit", class: "primary" }, label);
    const cancel = h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel");
    const fields = h("form", { method: "dialog" }, h("h2", { id: title_id }, title), ...content.filter(Boolean), wrong,
      h("div", { class: "buttons" }, cancel, go));
    const dialog = h("dialog", { "aria-labelledby": title_id }, fields);
    let answered = false;
    fields.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      wrong.hidden = true;
      try {
        const answer = await act(new FormData(fields));
        answered = true;
        resolve(answer);
        dialog.close();
      } catch (error) {
        if (error instanceof Cancelled) return;
        wrong.textContent = visible(error.message);
        wrong.hidden = false;
      } finally {
        go.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus();
      if (!answered) reject(new Cancelled());
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input:not([type=radio]), textarea, input, button.primary")?.focus();
  });
}

/** Does nothing about a dialog that was only closed. */
export function unlessCancelled(error) {
  if (!(error instanceof Cancelled)) throw error;
}
