// Says what others have changed since this page was made. It never reloads by itself and never moves the focus.
const main = document.querySelector("main");
const box = document.getElementById("live");
const words = {
  decisions: "decisions", rounds: "rounds", codebook: "the codebook", memos: "memos", flags: "flags to talk about",
  disclosures: "possible disclosures", checks: "the check of de-identification",
};
const background = { headers: { fetch: "live" } };
const told = new Set();
let since = main.dataset.since, stream = null, failures = 0, later = 0, refreshed = 0;

function hear(change) {
  since = change.since;
  const shows = main.dataset.shows.split(" ");
  const fresh = change.kinds.filter((kind) => shows.includes(kind) && !told.has(kind));
  fresh.forEach((kind) => told.add(kind));
  if (fresh.length) say();
  if (change.kinds.some((kind) => main.querySelector(`[data-live~="${kind}"]`))) refresh();
}

function say() {
  const button = document.createElement("button");
  button.textContent = "Show";
  button.addEventListener("click", () => location.reload());
  box.replaceChildren(`Others have changed: ${[...told].map((kind) => words[kind]).join(", ")}. `, button);
}

// Counters are taken from this very page as the server makes it now, so they show what this person may see.
async function refresh() {
  clearTimeout(later);
  const wait = refreshed + 4000 - Date.now();
  if (wait > 0) { later = setTimeout(refresh, wait); return; }
  refreshed = Date.now();
  const answer = await fetch(location.href, background).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of main.querySelectorAll("[data-live][id]")) {
    const now = page.getElementById(old.id);
    if (now && now.textContent !== old.textContent) old.textContent = now.textContent;
  }
}

// Only the page in sight listens: a browser opens few connections to one server.
function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource(`${main.dataset.study}/events?since=${since}`);
  stream.onopen = () => { failures = 0; };
  stream.onmessage = (event) => hear(JSON.parse(event.data));
  stream.onerror = () => {
    failures += 1;
    if (stream.readyState === EventSource.CLOSED || failures > 5) { deaf(); setTimeout(ask, 15000); }
  };
}

function deaf() {
  if (stream) stream.close();
  stream = null;
}

// Where no stream comes through, ask.
async function ask() {
  if (document.hidden) return;
  const answer = await fetch(`${main.dataset.study}/changes?since=${since}`, background).catch(() => null);
  if (answer && answer.ok) { hear(await answer.json()); listen(); }
  else if (!answer || answer.status >= 500) setTimeout(ask, 15000);
}

document.addEventListener("visibilitychange", () => (document.hidden ? deaf() : listen()));
addEventListener("pagehide", deaf);
listen();
