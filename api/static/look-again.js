// Looks again while the page is in view, and puts what changed in its place.  Without this script the style alone
// makes the page say that it is too old.  A look that fails changes nothing, so an old page grows old as it would.
(() => {
  "use strict";
  const place = document.querySelector("[data-look-at]");
  if (!place) return;
  const FULL_AFTER_MS = 15 * 60 * 1000;
  const PATIENCE_MS = 10 * 1000;
  const loadedAt = Date.now();
  let trueSince = Date.now();
  let timer = 0;
  let isTouched = false;

  const leading = () => place.querySelector("[data-lasts-s]");
  const lasts = () => Number(leading().dataset.lastsS) * 1000;
  const again = () => Math.max(1000, Number(leading().dataset.againS) * 1000);

  // Timers and styles stand still while a computer sleeps; the wall clock does not.
  const lapseIfOld = () => {
    place.classList.toggle("lapsed", Date.now() - trueSince >= lasts());
  };

  const put = (fresh) => {
    const before = leading().dataset.say;
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (!old) continue;
      const open = [...old.querySelectorAll("details[open][id]")].map((one) => one.id);
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      const sameAgain = focused && (focused.getAttribute("href") !== null
        ? `a[href="${CSS.escape(focused.getAttribute("href"))}"]` : focused.tagName === "SUMMARY" ? "summary" : "button");
      // What changes once a day is only on the whole page; it is kept where the new part has a place for it.
      for (const room of part.querySelectorAll("[data-keep]")) {
        const kept = document.getElementById(room.id);
        if (kept) room.replaceWith(kept);
      }
      old.replaceWith(part);
      for (const id of open) { const one = document.getElementById(id); if (one) one.open = true; }
      if (sameAgain) { const one = part.querySelector(sameAgain); if (one) one.focus({ preventScroll: true }); }
    }
    const said = leading().dataset.say;
    if (said !== before) document.getElementById("news").textContent = said;
    if (fresh.title) document.title = fresh.title;
    document.documentElement.style.setProperty("--stale-after", `${leading().dataset.lastsS}s`);
  };

  const look = async () => {
    const asked = Date.now();
    if (asked - loadedAt > FULL_AFTER_MS && !isTouched) { location.reload(); return; }
    try {
      const answer = await fetch(place.dataset.lookAt, {
        headers: { Accept: "text/html" }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!answer.ok) return;
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      trueSince = asked;
    } catch { /* The page grows old by itself. */ }
  };

  const next = () => {
    clearTimeout(timer);
    lapseIfOld();
    if (document.visibilityState === "visible") timer = setTimeout(async () => { await look(); next(); }, again());
  };

  document.addEventListener("input", () => { isTouched = true; });
  document.addEventListener("visibilitychange", async () => {
    clearTimeout(timer);
    if (document.visibilityState !== "visible") return;
    lapseIfOld();
    await look();
    next();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  next();
})();
