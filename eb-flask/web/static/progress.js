// Shows how far a load is without loading the whole page again; without script, the page refreshes itself.
"use strict";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("progress");
  const shown = document.getElementById("progress");
  if (fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
  document.title = page.title;
  return !("unfinished" in fresh.dataset);
}

async function follow() {
  for (;;) {
    await pause(1000);
    try {
      if (await renew()) return;
    } catch {
      // The server is away for a moment: ask again.
    }
  }
}

follow();
