// From one page to the next within one document: what a person follows is fetched and takes the place of what is shown. The
// styles are not read again and no script starts anew, which is most of what a page costs. A page with scripts of its own or
// a live stream is left the ordinary way, so whatever it started ends with it; so is one on which something was typed, which the
// browser keeps for the way back. A browser without the Navigation API loads pages.
const root = document.documentElement, body = document.body;
let latest = null, typed = false;
const busy = () => typed || document.querySelector("script[src]:not([data-house]), [hx-sse\\:connect]") !== null;

window.navigation?.addEventListener("navigate", (event) => {
  const to = new URL(event.destination.url), back = event.navigationType === "traverse";
  if (!(event.userInitiated || event.info === "turn" || back) || event.navigationType === "reload") return;
  if (!event.canIntercept || event.hashChange || event.formData || event.downloadRequest !== null) return;
  if (to.pathname.startsWith("/api/") || (busy() && !back)) return;
  if (back && busy()) return event.intercept({ handler: () => window.location.reload() });
  let next;
  const fetched = async (controller) => { next = await asked(to, event.signal, controller); };
  const turned = async () => { if (!next) await fetched().catch(() => left(to)); show(next); };
  // Where the browser knows how, the address changes with what is shown: a page that does not come leaves this one as it is.
  event.intercept(event.cancelable ? { precommitHandler: fetched, handler: turned } : { handler: turned });
});

document.addEventListener("input", ({ target }) => { typed ||= Boolean(target.form?.dataset.api); });

// htmx would put the part that an address gives to it in the place of the page.
document.addEventListener("htmx:before:history:restore", (event) => { if (window.navigation) event.preventDefault(); });

// A row leads where its first link does.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr.link");
  if (!row || event.target.closest("a, button, input, label")) return;
  const link = row.querySelector("a");
  if (!window.navigation) return link.click();
  const { committed, finished } = navigation.navigate(link.href, { info: "turn" });
  for (const promise of [committed, finished]) promise.catch(() => {}); // another page was asked for meanwhile
});

// The page at an address, with its styles at hand; never, where the browser is sent there by itself.
async function asked(to, signal, controller) {
  latest = signal;
  root.classList.add("turning");
  try {
    const answer = await fetch(to, { signal, credentials: "same-origin" });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (house(next) !== house(document)) return await left(answer.url); // another release of the service, or no page of ours
    if (answer.redirected) {
      if (!controller?.redirect) return await left(answer.url);
      controller.redirect(answer.url);
    }
    const have = addresses(document);
    await Promise.all(styles(next).filter((link) => !have.has(address(link))).map(styled));
    return next;
  } catch (error) {
    if (!signal.aborted) document.dispatchEvent(new Event("lost"));
    throw error;
  } finally {
    if (latest === signal) root.classList.remove("turning");
  }
}

function left(to) {
  window.location.assign(to);
  return new Promise(() => {});
}

const address = (one) => one.getAttribute("src") ?? one.getAttribute("href");
const house = (page) => [...page.querySelectorAll("script[data-house]")].map(address).join();
const styles = (page) => [...page.querySelectorAll("head link[rel=stylesheet]")];
const addresses = (page) => new Set([...styles(page), ...page.scripts].map(address));

function show(next) {
  const have = addresses(document), wanted = addresses(next);
  for (const link of styles(document)) link.media = wanted.has(address(link)) ? "all" : "not all"; // kept for the next time
  const scripts = [...next.scripts].filter((one) => !have.has(address(one)));
  document.title = next.title;
  root.lang = next.documentElement.lang;
  for (const { name, value } of next.body.attributes) body.setAttribute(name, value);
  body.replaceChildren(...next.body.childNodes);
  htmx.process(body);
  typed = false;
  document.dispatchEvent(new Event("turned"));
  scripts.forEach(start);
  document.getElementById("where").textContent = document.title;
}

function styled(link) {
  return new Promise((done) => {
    const made = document.importNode(link);
    made.onload = made.onerror = done;
    document.head.append(made);
  });
}

// In the order in which the page names them.
function start(script) {
  const made = document.createElement("script");
  for (const { name, value } of script.attributes) made.setAttribute(name, value);
  made.async = false;
  document.head.append(made);
}
