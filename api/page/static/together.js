// One record for many experts: when the form is sent, its fields become a table with a row for each code.
const form = document.getElementById("together");
const columns = form.dataset.columns.split(" ");

form.addEventListener("formdata", ({ formData }) => {
  const codes = (formData.get("cell.codes") ?? "").split(/[\s,;，；、]+/).filter(Boolean);
  const cells = Object.fromEntries([...form.querySelectorAll("[data-cells] [name]")].map((field) => [field.name, field.value]));
  for (const name of [...formData.keys()]) if (name !== "dry_run") formData.delete(name);
  const rows = [columns, ...codes.map((code) => columns.map((name) => (name === "expert" ? code : cells[name] ?? "")))];
  const text = rows.map((row) => row.map(cell).join(",")).join("\r\n");
  formData.append("file", new File([text], `${form.dataset.sheet}.csv`, { type: "text/csv", lastModified: mark(text) }));
});

function cell(value) {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

// The same text is the same file: what was asked twice is done once.
function mark(text) {
  let made = 7;
  for (const letter of text) made = (made * 31 + letter.codePointAt(0)) % 2147483647;
  return made;
}
