// Charts as Vega, without compiling anything (the policy of the page forbids it). A figure says its interpreter and where a
// click on a mark leads: data-points, data-panels. A chart that is sent later, over a stream, is drawn when it arrives.
const drawn = new WeakSet();
let interpreter;

async function draw(figure) {
  if (drawn.has(figure)) return;
  drawn.add(figure);
  interpreter ??= import(figure.dataset.interpreter);
  const { expressionInterpreter } = await interpreter;
  const spec = JSON.parse(figure.dataset.spec);
  const place = figure.querySelector(".drawing");
  const runtime = vega.parse(spec, null, { ast: true });
  const view = new vega.View(runtime, { expr: expressionInterpreter, renderer: "svg", container: place, hover: true });
  view.addEventListener("click", (_, item) => {
    const { point, panel } = item?.datum ?? {};
    if (Number.isInteger(point) && figure.dataset.points) window.location.assign(`${figure.dataset.points}/${point}`);
    else if (panel && figure.dataset.panels) window.location.assign(`${figure.dataset.panels}/${encodeURIComponent(panel)}`);
  });
  await view.runAsync();
  const svg = place.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", figure.dataset.title);
  svg.removeAttribute("aria-roledescription");
  for (const part of svg.querySelectorAll("[role], [aria-label], [aria-roledescription], [tabindex]")) {
    for (const name of ["role", "aria-label", "aria-roledescription", "tabindex"]) part.removeAttribute(name);
  }
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
  figure.dataset.drawn = "yes";
}

function all() {
  for (const figure of document.querySelectorAll("figure.vega")) draw(figure);
}

new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
all();
