// Loaded before all other parts, for what they would come too late for.

// A part of the page that did not arrive is told: without it something here will not work.
window.addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLScriptElement) && !(target instanceof HTMLLinkElement)) return;
  const tell = () => {
    const shown = document.getElementById("told");
    if (!shown || shown.querySelector(".missing")) return;
    const line = Object.assign(document.createElement("p"), { className: "missing", textContent: document.body.dataset.missing });
    shown.append(line);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
  else tell();
}, true);

// A form sent before page.js is there waits for it: the browser by itself would only load the page anew.
let waiting = null;
function early(event) {
  if (!event.target.dataset.api) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  waiting = { form: event.target, submitter: event.submitter };
}
window.addEventListener("submit", early, true);
document.addEventListener("DOMContentLoaded", () => {
  window.removeEventListener("submit", early, true);
  if (waiting) waiting.form.requestSubmit(waiting.submitter);
});
