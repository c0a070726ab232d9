// Charts as Vega, without compiling anything (the policy of the page forbids it). A figure names its specification, its
// interpreter and where a click on a mark leads: data-spec, data-interpreter, data-points, data-panels. The page is there before
// its charts: until one is drawn its place says that it is loading, and where it cannot be drawn, why and what to do. A chart that
// is sent anew over a stream stands as it was until the new one is drawn.
const begun = new WeakSet();
const before = new Map();
let interpreter;

async function draw(figure) {
  if (begun.has(figure)) return;
  begun.add(figure);
  const place = figure.querySelector(".drawing");
  const said = place.textContent;
  if (before.has(figure.id)) place.replaceChildren(before.get(figure.id).cloneNode(true));
  figure.setAttribute("aria-busy", "true");
  try {
    const [spec, { expressionInterpreter }] = await Promise.all([
      specification(figure.dataset.spec), (interpreter ??= import(figure.dataset.interpreter)),
    ]);
    if (!window.vega) throw new Error("vega");
    if (!figure.isConnected) return;
    await shown(figure, place, spec, expressionInterpreter);
  } catch (error) {
    interpreter = undefined;
    failed(figure, place, said);
    console.warn("chart", figure.id, String(error));
  } finally {
    figure.removeAttribute("aria-busy");
  }
}

async function specification(address) {
  const answer = await fetch(address, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

async function shown(figure, place, spec, expressionInterpreter) {
  const runtime = vega.parse(spec, null, { ast: true });
  const made = document.createElement("div");
  const view = new vega.View(runtime, { expr: expressionInterpreter, renderer: "svg", container: made, hover: true });
  view.addEventListener("click", (_, item) => {
    const { point, panel } = item?.datum ?? {};
    if (Number.isInteger(point) && figure.dataset.points) window.location.assign(`${figure.dataset.points}/${point}`);
    else if (panel && figure.dataset.panels) window.location.assign(`${figure.dataset.panels}/${encodeURIComponent(panel)}`);
  });
  await view.runAsync();
  const svg = made.querySelector("svg");
  for (const part of svg.querySelectorAll("[role], [aria-label], [aria-roledescription], [tabindex]")) {
    for (const name of ["role", "aria-label", "aria-roledescription", "tabindex"]) part.removeAttribute(name);
  }
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", figure.dataset.title);
  svg.removeAttribute("aria-roledescription");
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
  place.replaceChildren(made);
  before.set(figure.id, svg);
  figure.dataset.drawn = "yes";
}

// Chromium keeps a module that could not be fetched as failed: only a new page asks for it again.
function failed(figure, place, said) {
  const sentence = document.createElement("p");
  sentence.className = "notice warn";
  sentence.setAttribute("role", "alert");
  sentence.append(figure.dataset.failed, " ");
  const again = document.createElement("button");
  again.type = "button";
  again.className = "plain";
  again.textContent = figure.dataset.again;
  again.addEventListener("click", () => {
    if (!window.vega) { window.location.reload(); return; }
    begun.delete(figure);
    place.replaceChildren(said);
    draw(figure);
  });
  sentence.append(again);
  place.replaceChildren(sentence);
}

function all() {
  for (const figure of document.querySelectorAll("figure.vega")) draw(figure);
}

new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
all();
