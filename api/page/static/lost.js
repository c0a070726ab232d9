// A line to the service that broke is told, and a run that is watched is asked for until the service is there again.
const PAUSE = 2000; // milliseconds between two attempts
const watches = (one) => one instanceof Element && one.hasAttribute("hx-sse:connect");

document.addEventListener("lost", () => tell(document.body.dataset.offline)); // a page that did not come (turn.js)
document.addEventListener("htmx:error", ({ target }) => {
  if (!watches(target)) return tell(document.body.dataset.offline);
  lost(target, true);
  setTimeout(() => {
    if (target.isConnected) htmx.ajax("GET", target.getAttribute("hx-sse:connect"), { source: target });
  }, PAUSE);
});
document.addEventListener("htmx:sse:error", ({ target }) => lost(target, true));
document.addEventListener("htmx:sse:after:connection", ({ target }) => lost(target, false));
document.addEventListener("htmx:after:swap", () => tell(""));

function lost(run, is) {
  const said = run.previousElementSibling;
  if (said && "lost" in said.dataset) said.hidden = !is;
}

function tell(text) {
  const shown = document.getElementById("told");
  const line = shown.querySelector(".broken-line");
  if (!text) return line?.remove();
  if (!line) shown.append(Object.assign(document.createElement("p"), { className: "broken-line", textContent: text }));
}
