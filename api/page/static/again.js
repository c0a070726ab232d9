// A page that waits for something short looks again by itself.
const waiting = document.querySelector("[data-again]");
if (waiting) setTimeout(() => window.location.reload(), Number(waiting.dataset.again));
