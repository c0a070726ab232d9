// Answers that are shown this once and in place: a one-time password, a token, recovery codes, a picture to scan.
// A form names where: data-shows="id of a hidden element"; in it data-field="name of a field of the answer".
document.addEventListener("answered", (event) => {
  const place = document.getElementById(event.target.dataset.shows ?? "");
  if (!place || !event.detail) return;
  event.preventDefault();
  for (const part of place.querySelectorAll("[data-field]")) fill(part, event.detail[part.dataset.field]);
  for (const link of place.querySelectorAll("[data-href]")) {
    link.href = link.dataset.href.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(event.detail[name] ?? ""));
  }
  place.hidden = false;
  place.focus();
  if ("gone" in event.target.dataset) event.target.hidden = true;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copies).innerText;
  navigator.clipboard?.writeText(text).then(() => button.setAttribute("data-done", ""), () => {});
});

function fill(part, value) {
  if (part.tagName === "IMG") part.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named(value))}`;
  else if (Array.isArray(value)) {
    part.replaceChildren(...value.map((one) => Object.assign(document.createElement("li"), { textContent: one })));
  } else part.textContent = value ?? "";
}

// A picture of its own needs to say what it is, which one inside a page need not.
function named(svg) {
  return svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}
