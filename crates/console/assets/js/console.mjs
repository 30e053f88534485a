// Enhancements only: every page works without this file. Copy buttons, relative times, live
// numbers, and the pill behind which new rows wait. Never changes what a page may do.

const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

function copyButtons() {
  const said = one("[data-announce]");
  for (const button of all("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        if (said) said.textContent = "Copied";
      } catch {
        if (said) said.textContent = "Copying was not allowed by the browser";
      }
    });
  }
}

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
];

function ago(seconds) {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  const [size, unit] = UNITS.find(([size]) => seconds >= size);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

// The server's clock counts, not the browser's: the page says when it was made.
function relativeTimes() {
  const made = Date.parse(document.documentElement.dataset.now ?? "");
  if (Number.isNaN(made)) return;
  const opened = performance.now();
  const tick = () => {
    const now = made + (performance.now() - opened);
    for (const time of all("time[data-ago]")) {
      const age = (now - Date.parse(time.dateTime)) / 1000;
      if (age >= 0 && age < 30 * 86400) time.textContent = ago(age);
    }
  };
  setInterval(tick, 10_000);
}

function setStats(stats) {
  for (const [name, text] of Object.entries(stats)) {
    for (const place of all(`[data-stat="${CSS.escape(name)}"]`)) {
      if (place.textContent !== text) place.textContent = text;
    }
  }
}

// New rows wait behind a pill, so that nothing moves under the reader's cursor.
function newRows(stream, pill) {
  const count = one("[data-count]", pill);
  const title = document.title;
  let waiting = 0;
  let scheduled = false;
  const show = () => {
    scheduled = false;
    pill.hidden = false;
    count.textContent = waiting === 1 ? "1 new event" : `${waiting} new events`;
    document.title = `(${waiting}) ${title}`;
  };
  stream.addEventListener("event", () => {
    waiting += 1;
    if (!scheduled) {
      scheduled = true;
      setTimeout(show, 400);
    }
  });
  stream.addEventListener("missed", (message) => {
    waiting += Number(message.data) || 0;
    show();
  });
}

function live() {
  const source = document.body.dataset.live;
  if (!source) return;
  const dot = one("[data-live-dot]");
  const word = one("[data-live-word]");
  const toggle = one("[data-live-toggle]");
  const pill = one("[data-pill]");
  let stream = null;

  const state = (on, text) => {
    dot?.classList.toggle("on", on);
    if (word) word.textContent = text;
  };
  const open = () => {
    stream = new EventSource(source);
    stream.addEventListener("open", () => state(true, "Live"));
    stream.addEventListener("error", () => state(false, "Reconnecting"));
    stream.addEventListener("stats", (message) => setStats(JSON.parse(message.data)));
    stream.addEventListener("ended", () => {
      stream.close();
      state(false, "Ended: reload to sign in again");
    });
    if (pill) newRows(stream, pill);
  };
  const close = () => {
    stream?.close();
    stream = null;
    state(false, "Paused");
  };
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const paused = toggle.getAttribute("aria-pressed") === "true";
      toggle.setAttribute("aria-pressed", String(!paused));
      toggle.textContent = paused ? "Pause" : "Resume";
      if (paused) open();
      else close();
    });
  }
  open();
}

// A file chosen for the plan form fills the text field, where it can still be read and changed.
function sourceFile() {
  const file = one("input[type=file][data-into]");
  const into = file && document.getElementById(file.dataset.into);
  if (!into) return;
  one("[data-needs-script]")?.removeAttribute("hidden");
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    if (chosen.size > 1024 * 1024) {
      file.setCustomValidity("The file is larger than 1 MiB");
      file.reportValidity();
      return;
    }
    file.setCustomValidity("");
    into.value = await chosen.text();
  });
}

// The button of an irreversible action wakes up when the name has been typed. The server checks
// the same again.
function typedConfirmation() {
  for (const field of all("input[data-confirm]")) {
    const button = one("button[type=submit]", field.form);
    if (!button) continue;
    const check = () => {
      button.disabled = field.value.trim() !== field.dataset.confirm;
    };
    field.addEventListener("input", check);
    check();
  }
}

// Ctrl-K or "/" goes to the search field of the page.
function searchKey() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    const wanted = (event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing);
    const field = one("[data-search]");
    if (!wanted || !field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}

copyButtons();
relativeTimes();
live();
sourceFile();
typedConfirmation();
searchKey();
