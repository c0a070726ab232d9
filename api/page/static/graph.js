// Draws a conflict graph whose positions the server worked out: zoom, pan, and why each line is there.
// A still picture is there at once; the library, loaded after it and by no other page, takes over when it is ready. The table
// below says the same in words.
const box = document.getElementById("graph");
const why = document.getElementById("why");
const { nodes, edges } = JSON.parse(box.dataset.graph);
const SHAPES = { expert: "ellipse", employer: "round-rectangle", applicant: "diamond", case: "triangle" };
// Okabe and Ito, without yellow, which no white ground carries.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5ba8", "#8c6d31"];
const alone = nodes.filter((one) => one[6] === 0).length === 1;
const LINES = { 1: ["#d55e00", 2.5, [], 0.9], 0: ["#8a8f98", 2, [6, 3], 0.7], "-1": ["#8a8f98", 2, [1, 1], 0.7] };
const ABOUT = 60; // room around the nodes, in their own measure
const LETTERS = 11, LETTERS_MIDDLE = 13; // pixels on the screen, however near one is
const STILL = 120; // milliseconds after the last change of distance before names are placed anew
const started = performance.now();
box.dataset.began = Math.round(started);
while (!box.clientHeight) await new Promise((done) => setTimeout(done, 10)); // the styles are on their way
const buttons = document.querySelectorAll("[data-graph-act]");
for (const button of buttons) button.disabled = true;
const still = picture();
await seen();
box.dataset.shown = Math.round(performance.now() - started);

const { default: cytoscape } = await import(box.dataset.library);
const graph = cytoscape({
  container: box,
  elements: [...nodes.map(node), ...edges.map(edge), ...communities()],
  layout: { name: "preset", fit: false },
  ...fitted(),
  style: style(),
  autoungrabify: true,
  boxSelectionEnabled: false,
  hideEdgesOnViewport: edges.length > 1500,
  textureOnViewport: nodes.length > 250,
  pixelRatio: nodes.length > 250 ? 1 : "auto",
  minZoom: 0.05,
  maxZoom: 4,
});
const degrees = new Map(graph.nodes(".thing").map((one) => [one.id(), one.degree() + (one.hasClass("middle") ? nodes.length + edges.length : 0)]));
const ranked = graph.nodes(".thing").sort((one, other) => degrees.get(other.id()) - degrees.get(one.id())).toArray();
let resting;
named();
graph.on("zoom", () => { clearTimeout(resting); resting = setTimeout(named, STILL); });
graph.one("render", () => {
  still.remove();
  for (const button of buttons) button.disabled = false;
  box.dataset.moves = Math.round(performance.now() - started);
});
graph.on("tap", "node.thing", (event) => show(event.target));
graph.on("tap", (event) => { if (event.target === graph) clear(); });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph.style(style()));

document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-graph-act]")?.dataset.graphAct;
  if (!act) return;
  if (act === "fit") graph.fit(undefined, 30);
  else graph.zoom({ level: graph.zoom() * (act === "in" ? 1.4 : 1 / 1.4), renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 } });
});

// Names stand where the screen has room for them, of the middle first, then of those with the most lines; nearer by, of more.
function named() {
  const zoom = graph.zoom(), taken = [];
  graph.batch(() => {
    for (const one of ranked) {
      const letters = one.hasClass("middle") ? LETTERS_MIDDLE : LETTERS, { x, y } = one.position();
      const half = (wide(one.data("label")) * letters) / 2, top = (y + one.height() / 2) * zoom + 2;
      const place = { left: x * zoom - half, right: x * zoom + half, top, bottom: top + 1.4 * letters };
      const free = taken.every((other) => other.right < place.left || place.right < other.left || other.bottom < place.top || place.bottom < other.top);
      if (free) taken.push(place);
      one.toggleClass("nameless", !free);
      one.style({ "font-size": letters / zoom, "text-margin-y": 2 / zoom, "text-outline-width": 2 / zoom });
    }
  });
}

// In letters as wide as high.
function wide(label) {
  return [...label].reduce((sum, letter) => sum + (letter.codePointAt(0) > 0x2e80 ? 1 : 0.56), 0);
}

// Where everything is in view.
function fitted() {
  const xs = nodes.map((one) => one[4]), ys = nodes.map((one) => one[5]);
  const left = Math.min(...xs) - ABOUT, top = Math.min(...ys) - ABOUT, right = Math.max(...xs) + ABOUT, bottom = Math.max(...ys) + ABOUT;
  const zoom = Math.min(box.clientWidth / (right - left), box.clientHeight / (bottom - top), 2);
  return { zoom, pan: { x: (box.clientWidth - zoom * (left + right)) / 2, y: (box.clientHeight - zoom * (top + bottom)) / 2 } };
}

function picture() {
  const canvas = box.appendChild(document.createElement("canvas")), pen = canvas.getContext("2d");
  const sharp = window.devicePixelRatio, { zoom, pan } = fitted();
  canvas.width = box.clientWidth * sharp;
  canvas.height = box.clientHeight * sharp;
  canvas.className = "still";
  pen.setTransform(zoom * sharp, 0, 0, zoom * sharp, pan.x * sharp, pan.y * sharp);
  for (const [counts, [colour, wide, dashes, opacity]] of Object.entries(LINES)) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: wide, globalAlpha: opacity });
    pen.setLineDash(dashes);
    pen.beginPath();
    for (const [from, to, kind] of edges) if (kind === Number(counts)) {
      pen.moveTo(nodes[from][4], nodes[from][5]);
      pen.lineTo(nodes[to][4], nodes[to][5]);
    }
    pen.stroke();
  }
  pen.globalAlpha = 1;
  pen.setLineDash([]);
  const ink = getComputedStyle(document.body).color;
  for (const one of nodes) {
    const half = isMiddle(one) ? 15 : 9;
    Object.assign(pen, { fillStyle: COLOURS[one[3] % COLOURS.length], strokeStyle: ink, lineWidth: half > 9 ? 4 : 1 });
    pen.beginPath();
    outline(pen, one[1], one[4], one[5], half);
    pen.fill();
    pen.stroke();
  }
  Object.assign(pen, { fillStyle: ink, textAlign: "center", font: "18px system-ui, sans-serif" });
  for (const { data, position } of communities()) pen.fillText(data.label, position.x, position.y);
  return canvas;
}

function outline(pen, what, x, y, half) {
  if (what === "expert") pen.arc(x, y, half, 0, 2 * Math.PI);
  else if (what === "employer") pen.rect(x - 12, y - 8, 24, 16);
  else if (what === "case") { pen.moveTo(x, y - half); pen.lineTo(x + half, y + half); pen.lineTo(x - half, y + half); pen.closePath(); }
  else { pen.moveTo(x, y - half); pen.lineTo(x + half, y); pen.lineTo(x, y + half); pen.lineTo(x - half, y); pen.closePath(); }
}

// Until what was drawn is on the screen; a page that nobody looks at draws no frames, and waits no longer.
function seen() {
  return Promise.race([new Promise((done) => requestAnimationFrame(() => setTimeout(done))), new Promise((done) => setTimeout(done, 200))]);
}

function isMiddle([, what, , , , , hops]) {
  return hops === 0 && (what === "expert" || alone);
}

function node(one) {
  const [id, what, full, community, x, y, , address] = one, middle = isMiddle(one);
  const label = full.length > 14 ? `${full.slice(0, 13)}…` : full;
  return { data: { id, label, full, what, address, colour: COLOURS[community % COLOURS.length] }, position: { x, y }, classes: `thing ${what}${middle ? " middle" : ""}` };
}

function edge([from, to, counts, kind, dates, record], n) {
  return { data: { id: `e${n}`, source: nodes[from][0], target: nodes[to][0], kind, dates, record, counts }, classes: counts === 1 ? "counts" : counts === 0 ? "past" : "fact" };
}

// A community is told by its circle and its number too, not by colour alone.
function communities() {
  const tops = new Map();
  for (const [, , , community, x, y] of nodes) {
    const top = tops.get(community) ?? { x: 0, y: Infinity, size: 0 };
    top.x += x; top.size += 1; top.y = Math.min(top.y, y);
    tops.set(community, top);
  }
  return [...tops].filter(([, top]) => top.size > 2).map(([number, top]) => ({
    data: { id: `community ${number}`, label: `${box.dataset.community} ${number + 1}` },
    position: { x: top.x / top.size, y: top.y - 34 }, classes: "community", selectable: false, grabbable: false,
  }));
}

function style() {
  const ink = getComputedStyle(document.body).color;
  const page = getComputedStyle(document.documentElement).getPropertyValue("--pico-background-color").trim() || "#fff";
  const text = { color: ink, "font-family": "system-ui, sans-serif", "text-outline-color": page, "text-outline-width": 2 };
  return [
    { selector: "node.thing", style: { ...text, shape: (n) => SHAPES[n.data("what")], "background-color": "data(colour)", width: 18, height: 18, label: "data(label)", "text-valign": "bottom", "z-index": 1, "border-width": 1, "border-color": ink } },
    { selector: "node.employer", style: { width: 24, height: 16 } },
    { selector: "node.middle", style: { width: 30, height: 30, "border-width": 4, "font-weight": "bold" } },
    { selector: "node.nameless", style: { label: "", "z-index": 0 } },
    { selector: "node.community", style: { ...text, "background-opacity": 0, width: 1, height: 1, label: "data(label)", "font-size": 18, opacity: 0.75, events: "no" } },
    { selector: "edge", style: { width: 2, "line-color": "#8a8f98", "curve-style": "haystack", "haystack-radius": 0, opacity: 0.7 } },
    { selector: "edge.counts", style: { width: 2.5, "line-color": "#d55e00", opacity: 0.9 } },
    { selector: "edge.past", style: { "line-style": "dashed" } },
    { selector: "edge.fact", style: { "line-style": "dotted" } },
    { selector: ".faded", style: { opacity: 0.12 } },
    { selector: "edge.near", style: { width: 3.5, opacity: 1 } },
    { selector: "node.chosen", style: { "border-width": 5, label: "data(label)", "z-index": 2 } },
  ];
}

function show(chosen) {
  clear();
  const near = chosen.closedNeighborhood();
  graph.elements().not(near).not(".community").addClass("faded");
  chosen.connectedEdges().addClass("near");
  chosen.addClass("chosen");
  const title = document.createElement("h3");
  if (chosen.data("address")) title.append(Object.assign(document.createElement("a"), { href: chosen.data("address"), textContent: chosen.data("full") }));
  else title.textContent = chosen.data("full");
  const list = document.createElement("ul");
  for (const line of chosen.connectedEdges().toArray().slice(0, 60)) {
    const other = line.connectedNodes().not(chosen);
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("strong"), { textContent: line.data("kind") }), ` ${other.data("full") ?? ""}`);
    const more = [line.data("dates"), line.data("counts") === 1 ? why.dataset.counts : "", line.data("record")].filter(Boolean).join(" · ");
    if (more) item.append(Object.assign(document.createElement("small"), { textContent: more }));
    list.append(item);
  }
  why.replaceChildren(title, list);
}

function clear() {
  graph.elements().removeClass("faded near chosen");
}
