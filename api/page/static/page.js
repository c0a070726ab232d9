// What a page cannot do by itself: sending forms to the API, and keeping what was typed when a session has ended.
// A form says what it asks for: data-api="POST /api/v1/...", and where to go then: data-then="/place/{field of the answer}".
// Whoever shows the answer in place listens for `answered` and prevents its default; whoever has more to say than the fields
// of the form listens for `said` and adds to its detail.
const body = document.body;
const asked = () => document.getElementById("again");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  if (form.dataset.sending) return; // a second click while the first is on its way
  const large = tooLarge(form);
  if (large) return refused(form, { detail: large.text, where: large.name });
  const sure = form.dataset.confirm ?? event.submitter?.dataset.sure;
  if (sure && !window.confirm(sure)) return;
  send(form, event.submitter);
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (event.target.type !== "file" || !form?.dataset.most) return;
  const large = tooLarge(form);
  tell(form, large?.text ?? "");
  if (large) event.target.setAttribute("aria-invalid", "true");
});

// The browser's own fields speak its language: which day it is, and which file was chosen, stands beside them in the page's.
function sayAgain(field) {
  if (field.type === "file") {
    const said = field.nextElementSibling?.querySelector("[data-chosen]");
    if (said) said.textContent = [...field.files].map((file) => file.name).join(", ") || said.dataset.none;
  } else if (field.type === "date") {
    const before = field.previousElementSibling;
    const said = before?.className === "said-day" ? before : Object.assign(document.createElement("small"), { className: "said-day" });
    if (said !== before) field.before(said);
    said.textContent = field.valueAsDate?.toLocaleDateString(body.dataset.language === "en" ? "en-GB" : "zh-CN", { dateStyle: "long", timeZone: "UTC" }) ?? "";
  }
}
document.addEventListener("input", (event) => sayAgain(event.target));
document.addEventListener("reset", (event) => setTimeout(() => [...event.target.elements].forEach(sayAgain)));
const sayDays = () => document.querySelectorAll("input[type=date]").forEach(sayAgain);
document.addEventListener("turned", sayDays);
sayDays();

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

document.addEventListener("htmx:response:error", (event) => {
  if (event.detail?.ctx?.response?.status === 401) signInAgain().then(() => window.location.reload(), () => {});
});

// Whoever had the focus in a part of the page that comes anew has it again: at the same link or button, or else at the part.
let had = null;
document.addEventListener("htmx:before:swap", () => {
  had = whoHasIt();
});
document.addEventListener("htmx:after:swap", () => giveBack(had));

export function whoHasIt() {
  const one = document.activeElement;
  if (!one || one === body) return null;
  return { one, same: sameAs(one), part: one.parentElement?.closest("[id]:not(main)")?.id };
}

export function giveBack(held) {
  if (!held || held.one.isConnected || document.activeElement !== body) return;
  const part = document.getElementById(held.part ?? "") ?? document.getElementById("main");
  const one = held.same && part.querySelector(held.same);
  if (!one) part.tabIndex = -1;
  (one || part).focus({ preventScroll: true });
}

function sameAs(one) {
  if (one.id) return `#${CSS.escape(one.id)}`;
  if (one.dataset.same) return `[data-same="${CSS.escape(one.dataset.same)}"]`;
  if (one.hasAttribute("href")) return `a[href="${CSS.escape(one.getAttribute("href"))}"]`;
  return one.form?.dataset.api ? `form[data-api="${CSS.escape(one.form.dataset.api)}"] button` : null;
}

// A file that the service would not take, told before it is sent: data-most in bytes, data-too-large the sentence.
function tooLarge(form) {
  const most = Number(form.dataset.most ?? Infinity);
  const field = [...form.elements].find((one) => one.type === "file" && [...one.files].some((file) => file.size > most));
  return field && { name: field.name, text: withSize(form.dataset.tooLarge, [...field.files].find((file) => file.size > most)) };
}

function withSize(sentence, file) {
  const size = (file.size / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
  return sentence.replace("{name}", () => file.name).replace("{size}", size);
}

async function send(form, submitter) {
  const [method, address] = form.dataset.api.split(" ");
  const button = submitter ?? form.querySelector("button:not([type=button])");
  let leaves = false;
  form.dataset.sending = "yes";
  button?.setAttribute("aria-busy", "true");
  tell(form, "");
  try {
    let answer = await request(method, address, form, button);
    if (answer.status === 401 && !("signIn" in form.dataset)) {
      await signInAgain();
      answer = await request(method, address, form, button);
    }
    const type = answer.headers.get("content-type") ?? "";
    const document_ = answer.status !== 204 && type.includes("json") ? await answer.json() : null;
    if (answer.ok) leaves = arrived(form, answer, document_);
    else refused(form, document_, answer.status);
  } catch (error) {
    if (error.name !== "AbortError") tell(form, body.dataset.offline);
  } finally {
    if (!leaves) rest(form, button);
  }
}

// A form whose answer leads elsewhere stays at work until that place is there, so that nobody asks twice.
function rest(form, button) {
  delete form.dataset.sending;
  button?.removeAttribute("aria-busy");
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sending]")) rest(form, form.querySelector("[aria-busy]"));
});

function request(method, address, form, button) {
  const headers = { "Accept-Language": body.dataset.language, "X-CSRF-Token": body.dataset.csrf };
  if (form.dataset.version) headers["If-Match"] = form.dataset.version;
  if (method === "POST" && !("signIn" in form.dataset)) headers["Idempotency-Key"] = keyOf(form, button);
  let sent;
  if (form.enctype === "multipart/form-data") return upload(method, address, headers, new FormData(form, button), form);
  else if (method !== "DELETE" && method !== "GET") {
    headers["Content-Type"] = "application/json";
    sent = JSON.stringify(documentOf(form));
  }
  return fetch(address, { method, headers, body: sent, credentials: "same-origin" });
}

// Files go with a bar that says how far they are, which a fetch cannot tell.
function upload(method, address, headers, sent, form) {
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", body.dataset.uploading);
  (form.querySelector(".acts") ?? form).append(bar);
  return new Promise((resolve, reject) => {
    const line = new XMLHttpRequest();
    line.open(method, address);
    for (const [name, value] of Object.entries(headers)) line.setRequestHeader(name, value);
    line.upload.onprogress = (event) => { if (event.lengthComputable && event.loaded < event.total) bar.value = event.loaded / event.total; else bar.removeAttribute("value"); };
    line.onload = () => resolve(new Response(line.status === 204 ? null : line.responseText, {
      status: line.status, headers: { "content-type": line.getResponseHeader("content-type") ?? "" },
    }));
    line.onerror = () => reject(new TypeError("offline"));
    line.send(sent);
  }).finally(() => bar.remove());
}

// The same key while the form says the same, so that a click repeated after a broken line asks for nothing twice.
function keyOf(form, button) {
  const fields = [...new FormData(form, button)].map(([name, value]) => [name, value.name ? [value.name, value.size, value.lastModified] : value]);
  const text = form.dataset.api + JSON.stringify([fields, form.enctype === "multipart/form-data" ? null : documentOf(form)]);
  if (form.dataset.said !== text) {
    form.dataset.said = text;
    form.dataset.key = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
  }
  return form.dataset.key;
}

function documentOf(form) {
  const made = {};
  for (const field of form.elements) {
    const value = field.dataset.from ? document.getElementById(field.dataset.from).value : field.value;
    if (!field.name || field.disabled || value === "") continue;
    if ((field.type === "checkbox" || field.type === "radio") && !field.checked) continue;
    const type = field.dataset.type;
    if (type === "list") (made[field.name] ??= []).push(value);
    else put(made, field.name.split("."), type === "json" ? JSON.parse(value) : type === "number" ? Number(value) : value);
  }
  form.dispatchEvent(new CustomEvent("said", { bubbles: true, detail: made }));
  return made;
}

// A name such as `absent.0.expert` is a place in the document.
function put(made, path, value) {
  const [first, ...rest] = path;
  if (!rest.length) made[first] = value;
  else put((made[first] ??= /^\d+$/.test(rest[0]) ? [] : {}), rest, value);
}

// Whether the page is left for another.
function arrived(form, answer, document_) {
  delete form.dataset.said;
  if ("signIn" in form.dataset) {
    if (asked().open) {
      body.dataset.csrf = document_.csrf_token;
      asked().close("done");
      form.reset();
      return false;
    }
    window.location.assign(document_.due ? "/own" : inside(new URLSearchParams(window.location.search).get("then")));
    return true;
  }
  if (document_?.csrf_token) body.dataset.csrf = document_.csrf_token;
  if (!form.dispatchEvent(new CustomEvent("answered", { bubbles: true, cancelable: true, detail: document_ }))) return "leads" in form.dataset;
  if (answer.status === 202 && form.dataset.watch) {
    htmx.ajax("GET", `/runs/${encodeURIComponent(document_.code)}/watched`, form.dataset.watch);
    return false;
  }
  if (answer.status === 202 && document_?.code) window.location.assign(`/runs/${encodeURIComponent(document_.code)}`);
  else if (form.dataset.then) window.location.assign(form.dataset.then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(document_?.[name] ?? "")));
  else window.location.reload();
  return true;
}

// Only places of this very service: never another host.
function inside(place) {
  return place && /^\/(?![/\\])/.test(place) ? place : "/";
}

function refused(form, problem, status) {
  if (status === 413 && form.dataset.refusedLarge) problem = { detail: form.dataset.refusedLarge, where: problem?.where };
  if (problem?.code === "access.second_factor") {
    const code = form.querySelector("[data-code]");
    if (code) { code.hidden = false; code.querySelector("input").focus(); }
  }
  tell(form, problem?.detail ?? `HTTP ${status}`);
  const name = (problem?.where ?? "").split(".").pop();
  const field = name && form.elements.namedItem(name);
  if (field?.setAttribute) { field.setAttribute("aria-invalid", "true"); field.focus(); }
}

function tell(form, text) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const place = form.querySelector(".fault");
  if (place) { place.textContent = text; place.hidden = !text; return; }
  const shown = document.getElementById("told");
  shown.replaceChildren();
  if (text) { const line = document.createElement("p"); line.textContent = text; shown.append(line); }
}

export function signInAgain() {
  const dialog = asked();
  return new Promise((resolve, reject) => {
    dialog.returnValue = "";
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[type=password]").focus();
    dialog.addEventListener("close", () => (dialog.returnValue === "done" ? resolve() : reject(new DOMException("", "AbortError"))), { once: true });
  });
}
