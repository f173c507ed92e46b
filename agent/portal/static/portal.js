"use strict";
// Everything else works without this. It notes where a film stopped, so that it goes on there the next time,
// and shows what is said in a recording.
(() => {
  const words = document.querySelector(".words");
  const said = words && document.querySelector("audio > track[default]");
  if (!said) return;
  words.lang = said.srclang;
  said.track.mode = "hidden"; // read, but not drawn by the browser as well
  said.track.addEventListener("cuechange", () => {
    words.textContent = [...said.track.activeCues].map(one => one.getCueAsHTML().textContent).join("\n");
  });
})();
(() => {
  const film = document.querySelector("video[data-place], audio[data-place]");
  if (!film) return;
  const start = Number(film.dataset.start) || 0;
  let noted = start;
  if (start > 0) {
    const leap = () => { if (start < film.duration - 5) film.currentTime = start; };
    film.readyState > 0 ? leap() : film.addEventListener("loadedmetadata", leap, { once: true });
  }
  const note = () => {
    const second = Math.floor(film.currentTime);
    if (second === noted) return;
    noted = second;
    const form = new URLSearchParams({ token: film.dataset.token, second: String(film.ended ? 0 : second) });
    fetch(film.dataset.place, { method: "POST", body: form, keepalive: true }).catch(() => {});
  };
  film.addEventListener("timeupdate", () => { if (Math.abs(film.currentTime - noted) >= 15) note(); });
  film.addEventListener("pause", note);
  film.addEventListener("ended", note);
  addEventListener("pagehide", note);
})();
