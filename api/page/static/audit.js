// An audit with the registry is asked of the committee, one of the roster alone of the desk: the same form, another address.
const form = document.getElementById("audit");
const choice = form?.querySelector("[data-committee]");
const alone = form?.dataset.api;
choice?.addEventListener("change", () => {
  form.dataset.api = choice.value ? `POST /api/v1/committees/${encodeURIComponent(choice.value)}/audits` : alone;
});
