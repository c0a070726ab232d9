// A scenario is looked at while one types: the API says what it comes to, or the first mistake with its line.
const editor = document.getElementById("scenario-text");
const said = document.getElementById("scenario-said");
const start = document.querySelector("form[data-start]");
let waiting, asked = 0;

editor?.addEventListener("input", () => {
  clearTimeout(waiting);
  start?.setAttribute("hidden", "");
  waiting = setTimeout(look, 350);
});

async function look() {
  const turn = ++asked;
  const headers = { "Content-Type": "application/json", "Accept-Language": document.body.dataset.language, "X-CSRF-Token": document.body.dataset.csrf };
  const sent = JSON.stringify({ text: editor.value, ...(editor.dataset.organiser ? { organiser: editor.dataset.organiser } : {}) });
  let text, good = false, line = null;
  try {
    const answer = await fetch("/api/v1/scenarios/validations", { method: "POST", headers, body: sent, credentials: "same-origin" });
    const found = await answer.json();
    good = answer.ok;
    if (good) text = filled(found.costly ? said.dataset.costly : said.dataset.good, found);
    else {
      line = /:(\d+)/.exec(found.where ?? "")?.[1] ?? null;
      text = (line ? said.dataset.line.replace("{line}", line) : "") + (found.detail ?? "");
    }
  } catch {
    text = document.body.dataset.offline;
  }
  if (turn !== asked) return;
  said.textContent = text;
  said.className = `notice ${good ? "good" : "bad"}`;
  editor.setAttribute("aria-invalid", String(!good));
  said.dataset.at = line ?? "";
}

function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => Number(values[name] ?? 0).toLocaleString(document.documentElement.lang));
}

// The line with the mistake, by a click or a key on the sentence that names it.
said?.addEventListener("click", () => {
  const line = Number(said.dataset.at);
  if (!line) return;
  const lines = editor.value.split("\n");
  const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  editor.focus();
  editor.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
});

// Work that was accepted is watched on a page of its own kind.
document.addEventListener("answered", (event) => {
  const leads = event.target.dataset.leads;
  if (!leads || !event.detail?.code) return;
  event.preventDefault();
  window.location.assign(leads.replace("{code}", encodeURIComponent(event.detail.code)));
});
