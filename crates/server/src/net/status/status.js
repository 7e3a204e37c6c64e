// Shows what the server does, again and again. Whatever clients call themselves is
// text here and never markup: nodes are made by `element` and `cell` only.
"use strict";

const PERIOD_MS = 2000;
// Rows of one table; a server may have more than a page can show.
const MOST_ROWS = 200;

// The stream whose viewers are shown, by name.
let watched = null;
let timer = 0;

const byId = (id) => document.getElementById(id);

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function cell(label, content, className = "") {
  const made = element("td", "", className);
  made.dataset.label = label;
  made.append(content);
  return made;
}

function button(text, className, onClick) {
  const made = element("button", text, className);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

// ---- The server ----

async function ask(path, body) {
  const options = body === undefined
    ? {}
    : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { cache: "no-store", ...options });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = new Error(answer.message ?? `the server answers ${response.status}`);
    error.status = response.status;
    throw error;
  }
  return answer;
}

// A list; the API answers 404 when there is nothing to list.
async function list(path, body) {
  try {
    return await ask(path, body);
  } catch (error) {
    if (error.status === 404) return [];
    throw error;
  }
}

async function end(question, path, body, pressed) {
  if (!window.confirm(question)) return;
  pressed.disabled = true;
  try {
    await ask(path, body);
  } catch (error) {
    if (error.status !== 404) window.alert(`Not ended: ${error.message}`);
  }
  refresh();
}

// ---- What figures look like ----

const whole = new Intl.NumberFormat("en");

function bitrate(bps) {
  if (bps >= 1e6) return `${(bps / 1e6).toFixed(1)} Mbit/s`;
  if (bps > 0) return `${Math.round(bps / 1e3)} kbit/s`;
  return "–";
}

function rate(metrics) {
  if (!metrics || metrics.VIDEO_RATE === undefined) return "–";
  return `${bitrate(metrics.VIDEO_RATE)}, ${Math.round(metrics.VIDEO_FPS)} fps`;
}

function since(date) {
  if (!date) return "–";
  const seconds = Math.max(0, Math.round((Date.now() - date) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return new Date(date).toLocaleString();
}

// "/<client>/<server>": only the client is news.
const client = (sessionId) => sessionId.split("/")[1] ?? sessionId;

function status(text) {
  const live = ["PUBLISHING", "PLAYING", "ESTABLISHED"].includes(text);
  return element("span", text.toLowerCase(), live ? "active" : "waiting");
}

const codecs = (stream) => [stream.videoCodec, stream.audioCodec].filter(Boolean).join(", ") || "–";
const picture = (stream) => stream.width > 0 ? `${stream.width}×${stream.height}` : "–";

// ---- Tables ----

// Rows stay what they are while nothing in them changes, so that a button does not
// vanish under the pointer. `key` says which row is which.
function fill(tableId, items, key, row) {
  const body = byId(tableId);
  const before = new Map([...body.rows].map((made) => [made.dataset.key, made]));
  const shown = items.slice(0, MOST_ROWS).map((item) => {
    const made = element("tr", "");
    made.dataset.key = key(item);
    made.append(...row(item));
    const old = before.get(made.dataset.key);
    if (!old) return made;
    made.querySelectorAll("td").forEach((fresh, index) => {
      const stale = old.cells[index];
      if (stale.textContent !== fresh.textContent) stale.replaceWith(fresh);
    });
    return old;
  });
  if (items.length > MOST_ROWS) {
    const rest = element("tr", "");
    rest.append(cell("", `and ${whole.format(items.length - MOST_ROWS)} more`));
    shown.push(rest);
  }
  const same = shown.length === body.rows.length && shown.every((made, index) => made === body.rows[index]);
  if (!same) body.replaceChildren(...shown);
  body.closest("table").hidden = items.length === 0;
  byId(`no-${tableId}`).hidden = items.length > 0;
}

function streamRow(stream) {
  const viewers = button(whole.format(stream.viewers), "", () => { watched = stream.name; refresh(); });
  viewers.setAttribute("aria-label", `Viewers of ${stream.name}`);
  const question = `End the stream “${stream.name}”? Its viewers are ended with it.`;
  const ended = button("End", "danger", (event) =>
    end(question, "/rest-api/stream/terminate", { mediaSessionId: stream.mediaSessionId }, event.target));
  ended.setAttribute("aria-label", `End ${stream.name}`);
  return [
    cell("Name", stream.name),
    cell("Status", status(stream.status)),
    cell("Viewers", viewers, "number"),
    cell("Video", rate(stream.metrics), "number"),
    cell("Picture", picture(stream)),
    cell("Codecs", codecs(stream)),
    cell("Since", since(stream.createDate)),
    cell("From", client(stream.sessionId)),
    cell("", ended),
  ];
}

function playerRow(player) {
  const from = client(player.sessionId);
  const ended = button("End", "danger", (event) =>
    end(`End what ${from} watches?`, "/rest-api/stream/terminate", { mediaSessionId: player.mediaSessionId }, event.target));
  return [
    cell("From", from),
    cell("Status", status(player.status)),
    cell("Video", rate(player.metrics), "number"),
    cell("Lost packets", whole.format(player.metrics?.VIDEO_LOST ?? 0), "number"),
    cell("Since", since(player.createDate)),
    cell("", ended),
  ];
}

function sessionRow(session) {
  const from = client(session.sessionId);
  const question = `End the session of ${from} and its ${session.streams} streams?`;
  const ended = button("End", "danger", (event) =>
    end(question, "/rest-api/connection/terminate", { sessionId: session.sessionId }, event.target));
  return [
    cell("From", from),
    cell("Application", session.appKey || "–"),
    cell("Client", session.clientBrowserVersion || session.clientVersion || "–"),
    cell("Streams", whole.format(session.streams), "number"),
    cell("Status", status(session.status)),
    cell("Since", since(session.createDate)),
    cell("", ended),
  ];
}

function refusalRow([reason, times]) {
  return [cell("Reason", reason.replaceAll("_", " ")), cell("Times", whole.format(times), "number")];
}

// ---- All of it, again and again ----

function figure(name, text) {
  document.querySelector(`[data-figure="${name}"]`).textContent = text;
}

function show(stats, streams, sessions, players) {
  const refusals = Object.entries(stats.refusals).filter(([, times]) => times > 0);
  refusals.sort((one, other) => other[1] - one[1]);
  for (const name of ["sessions", "publishers", "players"]) figure(name, whole.format(stats[name]));
  figure("incoming", bitrate(streams.reduce((sum, stream) => sum + (stream.metrics?.VIDEO_RATE ?? 0), 0)));
  figure("refusals", whole.format(refusals.reduce((sum, [, times]) => sum + times, 0)));
  fill("streams", streams, (stream) => stream.mediaSessionId, streamRow);
  fill("sessions", sessions, (session) => session.sessionId, sessionRow);
  fill("refusals", refusals, ([reason]) => reason, refusalRow);
  byId("viewers").hidden = watched === null;
  if (watched !== null) {
    byId("viewers-title").textContent = `Viewers of ${watched}`;
    fill("players", players, (player) => player.mediaSessionId, playerRow);
  }
}

async function refresh() {
  clearTimeout(timer);
  const display = ["metrics"];
  const state = byId("state");
  try {
    const [stats, streams, sessions, players] = await Promise.all([
      ask("/api/stats"),
      list("/rest-api/stream/find", { published: true, display }),
      list("/rest-api/connection/find_all"),
      watched === null ? [] : list("/rest-api/stream/find", { name: watched, published: false, display }),
    ]);
    show(stats, streams, sessions, players);
    state.textContent = `As of ${new Date().toLocaleTimeString()}`;
    state.className = "";
  } catch (error) {
    state.textContent = `Not up to date: ${error.message}. Trying again.`;
    state.className = "failed";
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, PERIOD_MS);
}

byId("close-viewers").addEventListener("click", () => { watched = null; refresh(); });
// Nobody looks at a hidden page.
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
refresh();
