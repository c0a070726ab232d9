// The panel builder: sliders beside their numbers, what follows read anew while one still turns them, and undo.
// The page's address says what is set, so a reload, a bookmark and the way back bring it again; reasons stay in the page.
const page = await import(document.querySelector("script[src*='/page.js']").src);
const settings = document.getElementById("settings");
const preview = document.getElementById("preview");
const start = document.getElementById("start");
const why = document.getElementById("why");
const undo = settings.querySelector("[data-undo]");
const PAUSE = 120; // milliseconds without a further change before we ask
const SLOW = 600; // milliseconds after which the counts are asked for by themselves first
const steps = [];
let last, waiting, asking, took = 0;

const controls = () => [...settings.querySelectorAll("[data-control]")];
const field = (control) => control.querySelector("[name]");
const off = (control) => control.querySelector("[data-off]")?.checked ?? false;
const said = (control) => (off(control) ? "off" : field(control).value);
const changed = (control) => said(control) !== control.dataset.own && said(control) !== "";
const decisions = () => [...document.querySelectorAll("#decisions .decision")].map((row) => ({
  kind: row.querySelector("[data-kind]").value, code: row.querySelector("[data-code]").value.trim(), why: row.querySelector("[data-reason]").value,
}));

function state() {
  return JSON.stringify([controls().map((control) => [control.dataset.control, field(control).value, off(control)]), decisions()]);
}

function query() {
  const made = new URLSearchParams();
  for (const name of ["meeting", "policy"]) made.set(name, settings.elements[name].value);
  for (const control of controls()) if (changed(control)) made.set(field(control).name, said(control));
  for (const one of decisions()) if (one.code) made.append(one.kind, one.code);
  return made;
}

function shown(control) {
  const range = control.querySelector("[type=range]"), input = field(control), own = control.dataset.own;
  if (range && document.activeElement !== range) range.value = input.value === "" ? own || range.dataset.rests : input.value;
  input.disabled = off(control);
  if (range) range.disabled = off(control);
  control.classList.toggle("changed", changed(control));
  control.querySelector("[data-own-again]").hidden = !changed(control);
}

function ownAgain(control) {
  const box = control.querySelector("[data-off]");
  if (box) box.checked = false;
  field(control).value = control.dataset.own;
}

function restore(text) {
  const [set, rows] = JSON.parse(text);
  for (const [name, value, isOff] of set) {
    const control = settings.querySelector(`[data-control="${CSS.escape(name)}"]`);
    field(control).value = value;
    const box = control.querySelector("[data-off]");
    if (box) box.checked = isOff;
  }
  document.getElementById("decisions").replaceChildren(...rows.map(row));
}

function row(one) {
  const made = document.getElementById("decision").content.firstElementChild.cloneNode(true);
  made.querySelector("[data-kind]").value = one.kind;
  made.querySelector("[data-code]").value = one.code;
  made.querySelector("[data-reason]").value = one.why;
  return made;
}

function moved(remember = true) {
  const now = state();
  controls().forEach(shown);
  if (now === last) return;
  if (remember) steps.push(last);
  last = now;
  undo.disabled = steps.length === 0;
  const set = controls().filter(changed).length;
  document.getElementById("reason").hidden = set === 0;
  why.required = set > 0;
  for (const one of document.querySelectorAll("#decisions .decision")) one.querySelector("[data-reason]").required = one.querySelector("[data-code]").value.trim() !== "";
  history.replaceState(null, "", `${location.pathname}?${query()}`);
  for (const link of document.querySelectorAll("header a[rel=alternate]")) {
    const there = query();
    there.set("lang", new URL(link.href).searchParams.get("lang"));
    link.href = `${location.pathname}?${there}`;
  }
  for (const button of document.querySelectorAll("[data-asks] button")) button.disabled = true;
  preview.setAttribute("aria-busy", "true");
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

async function ask(again = true) {
  asking?.abort();
  asking = new AbortController();
  const signal = asking.signal, address = `${settings.dataset.preview}?${query()}`, began = performance.now();
  const figures = new Map([...preview.querySelectorAll("[data-figure]")].map((one) => [one.dataset.figure, Number(one.dataset.value)]));
  try {
    if (took > SLOW && !(await read(`${address}&bounded=false`, signal, again, figures))) return;
    if (!(await read(address, signal, again, figures))) return;
    preview.setAttribute("aria-busy", "false");
    took = performance.now() - began;
  } catch (error) {
    if (error.name !== "AbortError") tell(document.body.dataset.offline);
  }
}

async function read(address, signal, again, figures) {
  const answer = await fetch(address, { signal, headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (answer.status === 401 && again) {
    await page.signInAgain();
    ask(false);
    return false;
  }
  const text = await answer.text();
  if (signal.aborted) return false;
  if (!answer.ok) {
    const told = new DOMParser().parseFromString(text, "text/html").querySelector("main")?.textContent.trim();
    tell(told || `HTTP ${answer.status}`);
    return false;
  }
  const held = page.whoHasIt();
  preview.innerHTML = text;
  page.giveBack(held);
  for (const one of preview.querySelectorAll("[data-figure]")) {
    const by = Number(one.dataset.value) - (figures.get(one.dataset.figure) ?? Number(one.dataset.value));
    if (!by) continue;
    const mark = document.createElement("small");
    mark.className = "by";
    mark.textContent = ` ${by > 0 ? "+" : "−"}${Math.abs(by).toLocaleString(document.documentElement.lang)}`;
    one.append(mark);
  }
  const wrong = document.getElementById("followed").dataset.wrong !== "";
  for (const button of document.querySelectorAll("[data-asks] button")) button.disabled = wrong;
  return true;
}

function tell(text) {
  const line = document.createElement("p");
  line.className = "notice bad";
  line.textContent = text;
  preview.replaceChildren(line);
  preview.setAttribute("aria-busy", "false");
}

settings.addEventListener("input", (event) => {
  const range = event.target.dataset.slides;
  if (range) document.getElementById(range).value = event.target.value;
  moved();
});
settings.addEventListener("submit", (event) => event.preventDefault());
settings.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("undo" in button.dataset) {
    restore(steps.pop());
    moved(false);
    if (undo.disabled) settings.querySelector("[data-all-own]").focus();
  } else if ("allOwn" in button.dataset) {
    controls().forEach(ownAgain);
    moved();
  } else if ("ownAgain" in button.dataset) {
    const control = button.closest("[data-control]");
    ownAgain(control);
    moved();
    field(control).focus();
  } else if ("add" in button.dataset) {
    const made = document.getElementById("decision").content.firstElementChild.cloneNode(true);
    document.getElementById("decisions").append(made);
    made.querySelector("[data-code]").focus();
  } else if ("remove" in button.dataset) {
    button.closest(".decision").remove();
    moved();
    settings.querySelector("[data-add]").focus();
  }
});
document.addEventListener("said", (event) => {
  if (!("asks" in event.target.dataset)) return;
  const told = document.getElementById("followed"), trial = event.target.dataset.why;
  const set = Object.entries(JSON.parse(told?.dataset.overrides ?? "{}"));
  if (set.length) event.detail.overrides = set.map(([parameter, value]) => ({ parameter, value, why: trial ?? why.value }));
  for (const [kind, name] of [["lock", "locks"], ["exclude", "exclusions"]]) {
    const own = decisions().filter((one) => one.kind === kind && one.code).map((one) => ({ expert: one.code, why: trial ?? one.why }));
    if (own.length) event.detail[name] = own;
  }
});
start.addEventListener("submit", (event) => {
  const missing = [...document.querySelectorAll("#decisions [data-reason]")].find((one) => one.required && !one.value.trim());
  if (!missing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  missing.closest("details").open = true;
  missing.reportValidity();
}, true);

last = state();
for (const button of document.querySelectorAll("[data-asks] button")) button.disabled = true;
controls().forEach(shown);
document.getElementById("reason").hidden = !(why.required = controls().some(changed));
ask();
