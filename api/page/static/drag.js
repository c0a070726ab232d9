// A candidate dragged onto the seat in question is taken, as by the button beside the name.
const table = document.querySelector(".choices[data-seat]");
const seat = table && document.querySelector(`.seat[data-seat="${CSS.escape(table.dataset.seat)}"]`);
let taken = null;

for (const row of seat ? table.tBodies[0].rows : []) {
  const link = row.querySelector("a[role=button]");
  if (!link) continue;
  row.draggable = true;
  row.addEventListener("dragstart", (event) => {
    taken = link;
    event.dataTransfer.setData("text/plain", row.cells[0].innerText);
    seat.classList.add("changed");
  });
  row.addEventListener("dragend", () => {
    taken = null;
    seat.classList.remove("changed");
  });
}
seat?.addEventListener("dragover", (event) => { if (taken) event.preventDefault(); });
seat?.addEventListener("drop", (event) => {
  if (!taken) return;
  event.preventDefault();
  taken.click();
});
